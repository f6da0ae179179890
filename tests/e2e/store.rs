//! The DynamoDB adapter: the store's contract on an embedded DynamoDB, the rows it writes, and the result
//! of every way in which a call can fail. All but the last also check what we assume of another DynamoDB:
//! tests/conformance/stores.

mod checkout_rows;
pub(crate) mod dynamo;
mod failures;
mod refund_rows;
mod replay;
mod rows;
mod sequences;
mod stub;

pay_core::store_contract!(crate::store::dynamo::case);
