//! The journal and the keyed state.
