use super::{put_sized, take_sized};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// An id that can be written as bytes.
///
/// Texts are written as UTF-8, numbers as little endian of their full width, pairs as the length of the first, the first
/// and the second. For ids of your own:
///
/// ```
/// use crdt::bytes::IdBytes;
///
/// #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
/// struct Replica {
///     node: String,
///     life: u32,
/// }
///
/// impl IdBytes for Replica {
///     fn write(&self, out: &mut Vec<u8>) {
///         out.extend(self.life.to_le_bytes());
///         out.extend(self.node.as_bytes());
///     }
///
///     fn read(bytes: &[u8]) -> Option<Self> {
///         let (life, node) = bytes.split_first_chunk()?;
///         let node = String::from_utf8(node.to_vec()).ok()?;
///         Some(Self { node, life: u32::from_le_bytes(*life) })
///     }
/// }
///
/// let counter = crdt::GCounter::from([(Replica { node: "n0".into(), life: 7 }, 3)]);
/// assert_eq!(crdt::GCounter::from_bytes(&counter.to_bytes()), Ok(counter));
/// ```
///
/// Other ids can't be written, and the compiler says which can:
///
/// ```compile_fail,E0277
/// crdt::GCounter::from([(7_usize, 3)]).to_bytes(); // write `7_u64`
/// ```
#[diagnostic::on_unimplemented(
    message = "ids of `{Self}` can't be written as bytes",
    note = "owned texts, numbers of a fixed width, `[u8; N]`, `Vec<u8>` and pairs of these can; for a type of your own: \
            `impl crdt::bytes::IdBytes`"
)]
pub trait IdBytes: Sized {
    /// Appends the id. Different ids must give different bytes.
    ///
    /// ```
    /// let mut out = Vec::new();
    /// crdt::bytes::IdBytes::write(&"n0".to_string(), &mut out);
    /// assert_eq!(out, b"n0");
    /// ```
    fn write(&self, out: &mut Vec<u8>);

    /// The id that is written as exactly these bytes, if there is one. They come from outside: it must not panic.
    ///
    /// ```
    /// use crdt::bytes::IdBytes;
    /// assert_eq!(u16::read(&[7, 0]), Some(7));
    /// assert_eq!(u16::read(&[7]), None);
    /// ```
    fn read(bytes: &[u8]) -> Option<Self>;
}

macro_rules! texts {
    ($($Id:ty),+) => {$(
        impl IdBytes for $Id {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_bytes());
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                core::str::from_utf8(bytes).ok().map(Self::from)
            }
        }
    )+};
}

texts!(String, Box<str>, Rc<str>, Arc<str>);

macro_rules! numbers {
    ($($Id:ty),+) => {$(
        impl IdBytes for $Id {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }
        }
    )+};
}

numbers!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128);

impl IdBytes for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(bytes.into())
    }
}

impl<const N: usize> IdBytes for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

impl<A: IdBytes, B: IdBytes> IdBytes for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        let mut first = Vec::new();
        self.0.write(&mut first);
        put_sized(out, &first);
        self.1.write(out);
    }

    fn read(mut bytes: &[u8]) -> Option<Self> {
        let first = take_sized(&mut bytes)?;
        Some((A::read(first)?, B::read(bytes)?))
    }
}
