//! Text that comes in, places in it, the one error, similar names and quantities.

#![forbid(unsafe_code)]

pub mod display;
pub mod erased;
pub mod failure;
pub mod hash;
pub mod input;
pub mod quantity;
pub mod similar;
pub mod source;
pub mod user;
