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
#[diagnostic::on_unimplemented(
    message = "ids of `{Self}` can't be written as bytes",
    note = "texts, unsigned numbers, `[u8; N]`, `Vec<u8>` and pairs of these can; for a type of your own: \
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

macro_rules! ids {
    ($($Id:ty: |$id:ident| $write:expr, |$bytes:ident| $read:expr;)+) => {$(
        impl IdBytes for $Id {
            fn write(&self, out: &mut Vec<u8>) {
                let $id = self;
                out.extend_from_slice($write);
            }

            fn read($bytes: &[u8]) -> Option<Self> {
                $read
            }
        }
    )+};
}

fn text<T: for<'a> From<&'a str>>(bytes: &[u8]) -> Option<T> {
    core::str::from_utf8(bytes).ok().map(T::from)
}

ids! {
    String: |id| id.as_bytes(), |bytes| text(bytes);
    Box<str>: |id| id.as_bytes(), |bytes| text(bytes);
    Rc<str>: |id| id.as_bytes(), |bytes| text(bytes);
    Arc<str>: |id| id.as_bytes(), |bytes| text(bytes);
    Vec<u8>: |id| id, |bytes| Some(bytes.into());
    u8: |id| &id.to_le_bytes(), |bytes| bytes.try_into().ok().map(Self::from_le_bytes);
    u16: |id| &id.to_le_bytes(), |bytes| bytes.try_into().ok().map(Self::from_le_bytes);
    u32: |id| &id.to_le_bytes(), |bytes| bytes.try_into().ok().map(Self::from_le_bytes);
    u64: |id| &id.to_le_bytes(), |bytes| bytes.try_into().ok().map(Self::from_le_bytes);
    u128: |id| &id.to_le_bytes(), |bytes| bytes.try_into().ok().map(Self::from_le_bytes);
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
