//! The DynamoDB adapter: the store's contract on an embedded DynamoDB, the rows it writes, and
//! what it makes of every way in which a call can fail. All but the last also hold another DynamoDB
//! to what we take for granted of it: tests/conformance/stores.

mod dynamo;
mod failures;
mod replay;
mod rows;
mod sequences;
mod stub;

pay_core::store_contract!(crate::store::dynamo::on_dynamo);
