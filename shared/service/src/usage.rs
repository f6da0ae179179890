//! What an invocation uses of other services: noted where a call is made, shown in its log line.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

tokio::task_local! {
    static USED: Cell<Usage>;
}

/// A service that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The table.
    DynamoDb,
    /// The secrets.
    SecretsManager,
    /// The shop's user and order services.
    Shop,
    /// The payment providers.
    Provider,
}

/// What DynamoDB charges for, in halves, as the floats of its responses.
#[expect(clippy::disallowed_types, reason = "neither money nor time, and shown as it came")]
pub type Units = f64;

/// What was used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Of DynamoDB.
    pub dynamodb: Calls,
    /// Of Secrets Manager.
    pub secrets_manager: Calls,
    /// Of the shop.
    pub shop: Calls,
    /// Of the payment providers.
    pub providers: Calls,
    /// DynamoDB's read units, as it counts them itself. It does not say what a rejected call cost.
    pub read_units: Units,
    /// Its write units, those of the indexes included.
    pub write_units: Units,
}

/// Calls of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many, each repeat counted.
    pub count: u32,
    /// How long they took in all. Those made side by side are counted one by one.
    pub time: Duration,
}

/// Runs `work`, and returns what it used.
pub async fn of<T>(work: impl Future<Output = T>) -> (T, Usage) {
    let measured = async {
        let done = work.await;
        (done, USED.try_with(Cell::get).unwrap_or_default())
    };
    USED.scope(Cell::default(), measured).await
}

/// A call that is being made. It ends where this is dropped, also if nobody waits for it any more.
#[derive(Debug)]
#[must_use = "it ends at once"]
pub struct Call {
    service: Service,
    begun: Instant,
}

impl Call {
    /// Begins one.
    pub fn begin(service: Service) -> Self {
        Self { service, begun: Instant::now() }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        note(|used| {
            let calls = match self.service {
                Service::DynamoDb => &mut used.dynamodb,
                Service::SecretsManager => &mut used.secrets_manager,
                Service::Shop => &mut used.shop,
                Service::Provider => &mut used.providers,
            };
            calls.count = calls.count.saturating_add(1);
            calls.time = calls.time.saturating_add(self.begun.elapsed());
        });
    }
}

/// Notes read units.
pub fn read_units(units: Units) {
    note(|used| add(&mut used.read_units, units));
}

/// Notes write units.
pub fn write_units(units: Units) {
    note(|used| add(&mut used.write_units, units));
}

#[expect(clippy::float_arithmetic, reason = "neither money nor time")]
fn add(sum: &mut Units, units: Units) {
    *sum += units;
}

/// Outside of an invocation, as at the start, nobody asks what is used.
fn note(change: impl FnOnce(&mut Usage)) {
    let noted = USED.try_with(|cell| {
        let mut used = cell.get();
        change(&mut used);
        cell.set(used);
    });
    match noted {
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{sleep, timeout};

    use super::*;

    async fn call(service: Service, time: Duration) {
        let _call = Call::begin(service);
        sleep(time).await;
    }

    #[tokio::test]
    async fn what_is_used_is_that_of_one_piece_of_work() {
        let ms = Duration::from_millis;
        let begun = Instant::now();
        call(Service::Shop, ms(1)).await;
        let (done, used) = of(async {
            call(Service::DynamoDb, ms(2)).await;
            call(Service::DynamoDb, ms(2)).await;
            // Given up, and a call none the less.
            let hung = timeout(ms(2), call(Service::Shop, ms(60_000))).await;
            read_units(0.5);
            read_units(1.0);
            write_units(7.0);
            hung.is_err()
        })
        .await;
        assert!(done);
        assert_eq!((used.dynamodb.count, used.shop.count, used.secrets_manager.count), (2, 1, 0));
        assert!(used.dynamodb.time >= ms(4) && used.shop.time >= ms(2));
        assert!(used.dynamodb.time + used.shop.time <= begun.elapsed());
        assert_eq!(format!("{}, {}", used.read_units, used.write_units), "1.5, 7");
        assert_eq!(of(async {}).await, ((), Usage::default()));
    }
}
