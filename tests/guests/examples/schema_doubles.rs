//! Gives a short schema in which each level refers to the one below twice: following all references
//! takes for ever.

hostile_guests::with_schema!(hostile_guests::doubling(100));
