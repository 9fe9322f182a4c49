//! Text that comes in, places in it, the one error, the effects of a session, similar names and quantities.

#![forbid(unsafe_code)]

pub mod consumer;
pub mod display;
pub mod effect;
pub mod erased;
pub mod failure;
pub mod hash;
pub mod input;
pub mod keyword;
pub mod quantity;
pub mod secret;
pub mod similar;
pub mod source;
pub mod user;
