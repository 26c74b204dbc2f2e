//! Well behaved: writes its version into every message. This is the second version.

hostile_guests::version!(Two, "two");
