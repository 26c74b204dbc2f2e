//! Well behaved: writes its version into every message. This is the first.

hostile_guests::version!(One, "one");
