//! Tokens: who calls, and with which right.
//!
//! HS256 JWTs as the shop's user service issues them, and the ones we call the shop with. Pure:
//! keys and time come in as values. This knows nothing of where keys come from, nor of HTTP beyond
//! the value of one header.

mod claims;
mod fault;
mod key;
mod numeric_date;
mod provider;
mod sign;
mod token;

pub use claims::TokenRules;
pub use fault::TokenFault;
pub use key::AuthKey;
pub use sign::{sign, sign_service};
pub use token::{TokenError, payer, service};

/// The scope of the tokens we call the shop's services with.
pub const SHOP_SCOPE: &str = "pay:service";

/// The scope a gateway of ours needs for the native callback.
pub const CALLBACK_SCOPE: &str = "pay:callback";

/// The scope of a token with which the shop may ask for refunds.
pub const REFUND_SCOPE: &str = "pay:refund";

/// What marks a scope as one of ours: a token that has one is a service, never a payer.
const OUR_SCOPES: &str = "pay:";
