//! Literals of parameters: of which type they are, whether they fit, and how JSON and Rust write them.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, Expr, ExprLit, ExprUnary, Lit, Result, Type, UnOp, spanned::Spanned};

/// The type of a field, as far as a macro sees it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Name and range. Parameters are signed 64-bit integers on their way, so no range goes beyond that.
    Integer {
        name: &'static str,
        min: i64,
        max: i64,
    },
    /// Name.
    Float {
        name: &'static str,
    },
    Bool,
    Text,
    /// Some other type: the compiler finds out whether it is a `ParamEnum`.
    Enum,
}

const INTEGERS: [Kind; 10] = [
    Kind::Integer { name: "i8", min: i8::MIN as i64, max: i8::MAX as i64 },
    Kind::Integer { name: "i16", min: i16::MIN as i64, max: i16::MAX as i64 },
    Kind::Integer { name: "i32", min: i32::MIN as i64, max: i32::MAX as i64 },
    Kind::Integer { name: "i64", min: i64::MIN, max: i64::MAX },
    Kind::Integer { name: "isize", min: i64::MIN, max: i64::MAX },
    Kind::Integer { name: "u8", min: 0, max: u8::MAX as i64 },
    Kind::Integer { name: "u16", min: 0, max: u16::MAX as i64 },
    Kind::Integer { name: "u32", min: 0, max: u32::MAX as i64 },
    Kind::Integer { name: "u64", min: 0, max: i64::MAX },
    Kind::Integer { name: "usize", min: 0, max: i64::MAX },
];

impl Kind {
    pub(crate) fn of(ty: &Type) -> Result<Self> {
        let unsupported = || {
            let message = "this type cannot be a parameter; parameters are integers up to 64 bits, `f32`, `f64`, \
                           `bool`, `String`, or an enum with `#[derive(ParamEnum)]`";
            Error::new(ty.span(), message)
        };
        let path = match ty {
            Type::Group(group) => return Self::of(&group.elem),
            Type::Path(path) if path.qself.is_none() => &path.path,
            _ => return Err(unsupported()),
        };
        let Some(last) = path.segments.last().filter(|last| last.arguments.is_none()) else {
            return Err(unsupported());
        };
        let name = last.ident.to_string();
        if let Some(kind) = INTEGERS.iter().find(|kind| kind.name() == name) {
            return Ok(*kind);
        }
        match name.as_str() {
            "f32" => Ok(Self::Float { name: "f32" }),
            "f64" => Ok(Self::Float { name: "f64" }),
            "bool" => Ok(Self::Bool),
            "String" => Ok(Self::Text),
            "i128" | "u128" | "f16" | "f128" | "char" | "str" => Err(unsupported()),
            _ => Ok(Self::Enum),
        }
    }

    /// The name in Rust, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Integer { name, .. } | Self::Float { name } => name,
            Self::Bool => "bool",
            Self::Text => "String",
            Self::Enum => "enum",
        }
    }

    /// The name in the descriptor.
    pub(crate) fn json(self) -> &'static str {
        match self {
            Self::Integer { .. } => "integer",
            Self::Float { .. } => "float",
            Self::Bool => "bool",
            Self::Text => "string",
            Self::Enum => "enum",
        }
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Integer { .. } | Self::Float { .. })
    }
}

/// The value of a literal.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    Integer(i64),
    Float(f64),
    Bool(bool),
    Text(String),
}

/// A literal with the place where it stands.
#[derive(Clone)]
pub(crate) struct Literal {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

impl Literal {
    /// Reads a literal that must be of a type.
    pub(crate) fn parse(key: &str, expression: &Expr, kind: Kind) -> Result<Self> {
        let span = expression.span();
        let (negative, literal) = match expression {
            Expr::Lit(ExprLit { lit, .. }) => (false, lit),
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match &**expr {
                Expr::Lit(ExprLit { lit: lit @ (Lit::Int(_) | Lit::Float(_)), .. }) => (true, lit),
                _ => return Err(Error::new(span, format!("`{key}` expects a literal"))),
            },
            _ => return Err(Error::new(span, format!("`{key}` expects a literal"))),
        };
        let value = match (kind, literal) {
            (Kind::Integer { name, min, max }, Lit::Int(digits)) => {
                let value: i128 = digits.base10_parse()?;
                let value = if negative { -value } else { value };
                match i64::try_from(value) {
                    Ok(value) if (min..=max).contains(&value) => Value::Integer(value),
                    _ => {
                        let message = format!("`{key}` {value} does not fit {name}: it takes {min} to {max}");
                        return Err(Error::new(span, message));
                    }
                }
            }
            (Kind::Float { .. }, Lit::Int(_) | Lit::Float(_)) => {
                let digits = match literal {
                    Lit::Int(digits) => digits.base10_digits().to_owned(),
                    Lit::Float(digits) => digits.base10_digits().to_owned(),
                    _ => String::new(),
                };
                let value: f64 =
                    digits.parse().map_err(|_| Error::new(span, format!("`{key}` expects a number")))?;
                if !value.is_finite() {
                    return Err(Error::new(span, format!("`{key}` is too large for a 64-bit float")));
                }
                Value::Float(if negative { -value } else { value })
            }
            (Kind::Bool, Lit::Bool(value)) => Value::Bool(value.value),
            (Kind::Text | Kind::Enum, Lit::Str(text)) => Value::Text(text.value()),
            (kind, _) => return Err(Error::new(span, mistyped(key, kind))),
        };
        Ok(Self { value, span })
    }

    /// As JSON, and as people read it.
    pub(crate) fn json(&self) -> String {
        match &self.value {
            Value::Integer(value) => value.to_string(),
            // The shortest text that reads back as the same float; JSON takes it as it is.
            Value::Float(value) => format!("{value:?}"),
            Value::Bool(value) => value.to_string(),
            Value::Text(value) => crate::json::text(value),
        }
    }

    /// As a Rust expression of type `ty`.
    pub(crate) fn rust(&self, ty: &Type) -> TokenStream {
        match &self.value {
            // Suffixed and cast, because the compiler does not treat a negative number as a literal.
            Value::Integer(value) => quote!((#value) as #ty),
            Value::Float(value) => quote!((#value) as #ty),
            Value::Bool(value) => quote!(#value),
            Value::Text(value) => quote!(::std::string::String::from(#value)),
        }
    }

    /// Order of two numbers of one kind; texts and bools have none.
    pub(crate) fn below(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Integer(a), Value::Integer(b)) => a < b,
            (Value::Float(a), Value::Float(b)) => a < b,
            _ => false,
        }
    }
}

fn mistyped(key: &str, kind: Kind) -> String {
    match kind {
        Kind::Integer { name, .. } => {
            format!("`{key}` of a parameter of type {name} expects an integer literal")
        }
        Kind::Float { name } => format!("`{key}` of a parameter of type {name} expects a number"),
        Kind::Bool => format!("`{key}` of a parameter of type bool expects `true` or `false`"),
        Kind::Text => format!("`{key}` of a parameter of type String expects a text in quotes"),
        Kind::Enum => format!(
            "`{key}` of a parameter whose type is an enum expects one of its words in quotes \
             (any type that is not a number, `bool` or `String` by name is taken to be an enum)"
        ),
    }
}
