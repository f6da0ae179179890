//! Money in quarantine that a person has given back.

use super::Client;

impl Client<'_> {
    /// A person has the money given back that waits in quarantine. Now and then two persons do so at the same
    /// time, or somebody does so once more.
    pub(super) async fn give_back(&mut self) {
        let Some((payment, notification)) = self.some_quarantined().await else { return };
        let entry_point = self.entry_point;
        // Else the sweep asks the provider.
        let asks = self.random.u8(..100) < 60;
        let give = |by| entry_point.give_back((payment, &notification), by, asks);
        if self.random.u8(..100) < 20 {
            tokio::join!(give("ada"), give("bob"));
        } else {
            give("ada").await;
        }
    }

    /// The payment and the name of a notification that reports such money.
    async fn some_quarantined(&mut self) -> Option<(u64, String)> {
        if self.random.u8(..100) < 20 {
            let again = self.random.choice(&self.entry_point.world().facts.given_back).cloned();
            return again.map(|of| (of.payment, of.notification));
        }
        self.random.choice(self.entry_point.quarantined().await)
    }
}
