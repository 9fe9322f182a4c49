//! Loads a function's library and calls it: the only place in lakesh that is `unsafe`.
//!
//! Why it is needed: what was compiled a moment ago can be called only through an address, and takes the
//! buffers of Arrow as they are, which is what makes it fast. What the calls rely on: the library was made
//! by `source.rs` for the very types that are passed here, the buffers belong to arrays that live through
//! the call, and the results' buffers have room for all rows.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use datafusion::arrow::array::{
    Array, ArrayData, ArrayRef, BooleanArray, StringBuilder, make_array,
};
use datafusion::arrow::buffer::{MutableBuffer, NullBuffer};
use std::sync::Arc;

use super::{NativeDefinition, NativeType};

/// A column of arguments, as `runtime.rs.txt` declares it.
#[repr(C)]
struct Column {
    values: *const u8,
    offsets: *const i32,
    validity: *const u8,
    first_value: usize,
    first_bit: usize,
    step: usize,
}

/// Where results go, as `runtime.rs.txt` declares it.
#[repr(C)]
struct Output {
    values: *mut u8,
    validity: *mut u8,
    context: *mut c_void,
    push: extern "C" fn(*mut c_void, *const u8, usize, u8),
    fail: extern "C" fn(*mut c_void, *const u8, usize, u32),
}

type Call = unsafe extern "C" fn(usize, *const Column, *const Output) -> c_int;

/// A loaded library. It stays loaded: threads may hold what it keeps for each of them.
#[derive(Debug)]
pub(super) struct Library {
    call: Call,
}

/// Texts that come back, and what went wrong.
struct Received {
    texts: StringBuilder,
    bytes: usize,
    panic: Option<(String, u32)>,
}

/// Why a call gave no result.
#[derive(Debug)]
pub(super) enum CallError {
    /// The body panicked, in this line of its source; 0 where that is not known.
    Panic(String, u32),
    /// A batch's texts are too long for a column.
    TooLong,
    /// A column's buffers are not what they must be.
    Arrow(datafusion::arrow::error::ArrowError),
}

/// Arguments of a call, each with whether it is one value for all rows.
pub(super) type Arguments = [(ArrayRef, bool)];

impl Library {
    /// Loads a library that `compile.rs` has made.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
        // SAFETY: the name ends in NUL. The library's initializers are those of the standard library.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            return Err(last_error());
        }
        // SAFETY: the handle is of an open library, which is never closed, and the name ends in NUL.
        let symbol = unsafe { libc::dlsym(handle, c"lakesh_call".as_ptr()) };
        if symbol.is_null() {
            return Err(last_error());
        }
        // SAFETY: `source.rs` defines the symbol as a function of this type.
        let call = unsafe { std::mem::transmute::<*mut c_void, Call>(symbol) };
        Ok(Self { call })
    }

    /// Calls the function for each row.
    pub(super) fn call(
        &self,
        function: &NativeDefinition,
        arguments: &Arguments,
        rows: usize,
    ) -> Result<ArrayRef, CallError> {
        let columns: Vec<Column> = arguments
            .iter()
            .map(|(array, is_constant)| column(array, *is_constant))
            .collect();
        let mut values = MutableBuffer::from_len_zeroed(rows * function.returns.width());
        let mut validity = vec![0_u8; rows];
        let mut received = Received {
            texts: StringBuilder::new(),
            bytes: 0,
            panic: None,
        };
        let output = Output {
            values: values.as_mut_ptr(),
            validity: validity.as_mut_ptr(),
            context: (&raw mut received).cast(),
            push,
            fail,
        };
        // SAFETY: columns and output are of so many rows and of the function's types, as `function.rs`
        // checks; all of them outlive the call, and nothing else refers to `received` meanwhile.
        let status = unsafe { (self.call)(rows, columns.as_ptr(), &raw const output) };
        if let Some((message, line)) = received.panic {
            return Err(CallError::Panic(message, line));
        }
        if status != 0 {
            return Err(CallError::Panic("no message".to_owned(), 0));
        }
        if received.bytes > LONGEST {
            return Err(CallError::TooLong);
        }
        let nulls = NullBuffer::from_iter(validity.iter().map(|valid| *valid == 1));
        match function.returns {
            NativeType::Text => Ok(Arc::new(received.texts.finish())),
            NativeType::Boolean => {
                let bits = values.as_slice().iter().map(|value| *value == 1);
                Ok(Arc::new(BooleanArray::new(bits.collect(), Some(nulls))))
            }
            number => {
                let data = ArrayData::builder(number.data_type())
                    .len(rows)
                    .add_buffer(values.into())
                    .nulls(Some(nulls))
                    .build();
                data.map(make_array).map_err(CallError::Arrow)
            }
        }
    }
}

/// The bytes of text that a column can hold.
const LONGEST: usize = i32::MAX as usize;

/// Points at the buffers of an array.
fn column(array: &ArrayRef, is_constant: bool) -> Column {
    let data = array.to_data();
    let is_text = data.data_type() == &NativeType::Text.data_type();
    let buffers = data.buffers();
    let start = |place: usize| {
        buffers
            .get(place)
            .map_or(std::ptr::null(), |buffer| buffer.as_ptr())
    };
    Column {
        values: start(usize::from(is_text)),
        offsets: match is_text {
            true => start(0).cast(),
            false => std::ptr::null(),
        },
        // The buffers belong to the array, which the caller holds; `data` only points at them.
        validity: data
            .nulls()
            .map_or(std::ptr::null(), |nulls| nulls.validity().as_ptr()),
        first_value: data.offset(),
        first_bit: data.nulls().map_or(0, NullBuffer::offset),
        step: usize::from(!is_constant),
    }
}

extern "C" fn push(context: *mut c_void, text: *const u8, length: usize, is_valid: u8) {
    // SAFETY: the context is the `Received` of the call that is running, which nothing else refers to.
    let received = unsafe { &mut *context.cast::<Received>() };
    received.bytes = received.bytes.saturating_add(length);
    if is_valid == 0 || received.bytes > LONGEST {
        received.texts.append_null();
        return;
    }
    // SAFETY: the library passes a `String` of its own, which lives until this returns.
    let bytes = unsafe { std::slice::from_raw_parts(text, length) };
    received.texts.append_value(String::from_utf8_lossy(bytes));
}

extern "C" fn fail(context: *mut c_void, message: *const u8, length: usize, line: u32) {
    // SAFETY: as in `push`.
    let (received, bytes) = unsafe {
        (
            &mut *context.cast::<Received>(),
            std::slice::from_raw_parts(message, length),
        )
    };
    received.panic = Some((String::from_utf8_lossy(bytes).into_owned(), line));
}

/// Returns what the loader says of the last failure.
fn last_error() -> String {
    // SAFETY: `dlerror` returns NULL or a text that is the thread's until its next call.
    let text: *const c_char = unsafe { libc::dlerror() };
    if text.is_null() {
        return "the loader does not say why".to_owned();
    }
    // SAFETY: the text is not NULL and ends in NUL.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
