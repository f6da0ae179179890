//! Has a function do something, and prints what its response says.

use anyhow::Result;

use super::End;
use crate::operation::FunctionCall;
use crate::print::{print, print_json};
use crate::target::FunctionTarget;

impl FunctionTarget {
    /// Invokes the function of a call. Ends with [`End::Found`] where not all is well by its response.
    pub(super) async fn call(&self, call: &FunctionCall, json: bool) -> Result<End> {
        let response = self.invoke(call.role().as_str(), &call.request()).await?;
        let is_well = call.is_well(&response)?;
        if json {
            print_json(&response)?;
        } else {
            print(&call.text(&response)?)?;
        }
        Ok(End::of(is_well))
    }
}
