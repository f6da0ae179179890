//! The DynamoDB adapter: the store's contract on an embedded DynamoDB, the rows it writes, and
//! what it makes of every way in which a call can fail.

mod dynamo;
mod failures;
mod rows;
mod sequences;
mod stub;

pay::store_contract!(crate::store::dynamo::on_dynamo);
