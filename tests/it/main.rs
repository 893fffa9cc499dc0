//! The one integration binary: each module below tests one promise from outside.

mod generated;
