//! Well behaved: writes its version into every message. This is the second.

hostile_guests::version!(Two, "two");
