//! Well behaved: writes its version into every message. This is the first version.

hostile_guests::version!(One, "one");
