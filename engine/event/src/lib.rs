//! What a running cell says, and a plan as data.

#![forbid(unsafe_code)]

pub mod account;
pub mod event;
pub mod footer;
pub mod observation;
pub mod picture;
