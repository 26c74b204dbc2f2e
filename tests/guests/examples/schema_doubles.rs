//! Gives a schema of a few lines in which each level refers to the one below twice: whoever follows
//! it never ends.

hostile_guests::with_schema!(hostile_guests::doubling(100));
