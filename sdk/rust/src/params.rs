//! Typed parameters: from the values that cross the boundary to the struct that an author wrote.

use crate::Failure;

/// The typed parameters of a benchmark. Made by `#[derive(Params)]`; `()` stands for none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold the parameters of a benchmark",
    label = "no `#[derive(Params)]` on this type",
    note = "write `#[derive(Params)]` above the struct, or use `()` for a benchmark without parameters"
)]
pub trait Params: Sized {
    /// The list of parameters in the descriptor, as JSON.
    #[doc(hidden)]
    const JSON: &'static str;
    /// The first paragraph of the doc comment, as a JSON text.
    #[doc(hidden)]
    const DOC: &'static str;

    /// The default value of each parameter.
    #[must_use]
    fn defaults() -> Self;

    /// Reads what the host passed.
    ///
    /// # Errors
    /// A sentence that names the parameter which is missing or does not fit its field.
    #[doc(hidden)]
    fn from_values(values: &Values) -> Result<Self, Failure>;
}

impl Params for () {
    const JSON: &'static str = "[]";
    const DOC: &'static str = "\"\"";

    fn defaults() -> Self {}

    fn from_values(_: &Values) -> Result<Self, Failure> {
        Ok(())
    }
}

/// A parameter that is one of a fixed set of words. Made by `#[derive(ParamEnum)]` on an enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a parameter",
    label = "not an integer, float, `bool` or `String`, and no `#[derive(ParamEnum)]` enum",
    note = "macros cannot see through a type alias: name the type itself, like `usize`"
)]
pub trait ParamEnum: Sized {
    /// The words, in the order of the variants.
    const CHOICES: &'static [&'static str];
    /// [`CHOICES`](Self::CHOICES) as JSON.
    #[doc(hidden)]
    const JSON: &'static str;

    /// The variant of that word.
    #[must_use]
    fn from_choice(word: &str) -> Option<Self>;

    /// The word of this variant.
    #[must_use]
    fn as_str(&self) -> &'static str;
}

/// The value of a parameter as it crosses the boundary.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A string, or one of the choices of an enum.
    Text(String),
}

/// The parameters of a case, as the host passed them.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Values(pub(crate) Vec<(String, Value)>);

impl Values {
    fn find(&self, name: &str) -> Result<&Value, Failure> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value).ok_or_else(|| {
            Failure::error(format!(
                "the host did not pass the parameter `{name}`, although the descriptor has it"
            ))
        })
    }

    /// The value of a parameter that is an integer, a float, a bool or a text.
    ///
    /// # Errors
    /// When it is missing, of another type, or outside the range of its type.
    pub fn get<T: FromValue>(&self, name: &str) -> Result<T, Failure> {
        let value = self.find(name)?;
        T::from_value(value).ok_or_else(|| {
            Failure::error(format!("parameter `{name}`: {value:?} does not fit {}", T::EXPECTED))
        })
    }

    /// The value of a parameter that is an enum.
    ///
    /// # Errors
    /// When it is missing or none of the choices.
    pub fn choice<T: ParamEnum>(&self, name: &str) -> Result<T, Failure> {
        match self.find(name)? {
            Value::Text(word) => T::from_choice(word).ok_or_else(|| {
                Failure::error(format!(
                    "parameter `{name}`: `{word}` is not one of {}",
                    T::CHOICES.join(", ")
                ))
            }),
            other => Err(Failure::error(format!("parameter `{name}`: {other:?} is not a text"))),
        }
    }
}

mod sealed {
    use super::Value;

    /// The types that a field of a `Params` struct can have, besides enums.
    pub trait FromValue: Sized {
        /// What fits, for people.
        const EXPECTED: &'static str;
        /// The value, when it fits.
        #[allow(private_interfaces, reason = "sealed: named only inside this crate and by its macros")]
        fn from_value(value: &Value) -> Option<Self>;
    }
}

use sealed::FromValue;

macro_rules! integers {
    ($($ty:ident)*) => {$(
        impl FromValue for $ty {
            const EXPECTED: &'static str = stringify!($ty);
            #[allow(private_interfaces, reason = "sealed")]
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Integer(value) => (*value).try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

integers! { i8 i16 i32 i64 isize u8 u16 u32 u64 usize }

macro_rules! others {
    ($($ty:ty, $expected:literal: $pattern:pat => $value:expr;)*) => {$(
        impl FromValue for $ty {
            const EXPECTED: &'static str = $expected;
            #[allow(private_interfaces, reason = "sealed")]
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    $pattern => Some($value),
                    _ => None,
                }
            }
        }
    )*};
}

others! {
    f32, "f32": Value::Float(value) => *value as f32;
    f64, "f64": Value::Float(value) => *value;
    bool, "bool": Value::Bool(value) => *value;
    String, "a text": Value::Text(value) => value.clone();
}
