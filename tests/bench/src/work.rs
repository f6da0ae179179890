//! Doing the pieces of work of a plan.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::client::{Errand, Errands, Recorded, hops};
use crate::instance::Instance;
use crate::plan::{
    Conversation, Figure, Freeze, Latency, Life, Long, Look, Plan, Quota, Subject, Work,
};
use crate::quota::Cage;
use crate::services::Services;

/// While calls are learnt, so that those made side by side are seen side by side.
const SLOW: Latency = Latency { store_ms: 50, shop_ms: 50 };

const NO_WAIT: Latency = Latency { store_ms: 0, shop_ms: 0 };

/// Why no limit of CPU can be set here; nothing where it can.
#[must_use]
pub fn quota_refused() -> Option<String> {
    Cage::new().err().map(|error| format!("{error:#}"))
}

/// The services, ready for work.
#[derive(Debug)]
pub struct Bench {
    plan: Plan,
    services: Services,
}

impl Bench {
    /// Starts the services.
    ///
    /// # Errors
    ///
    /// The certificates are none, or there is no port.
    pub async fn start(plan: Plan) -> Result<Self> {
        let services = Services::start(&plan.authority).await?;
        Ok(Self { plan, services })
    }

    /// Does all work, one piece after the other, and hands each figure over at once.
    ///
    /// # Errors
    ///
    /// A function fails, or does not answer 200.
    pub async fn run(&self, mut done: impl FnMut(Figure) -> Result<()>) -> Result<()> {
        for work in &self.plan.work {
            done(self.one(work).await?)?;
        }
        Ok(())
    }

    async fn one(&self, work: &Work) -> Result<Figure> {
        Ok(match *work {
            Work::Life { subject, calls, latency, quota } => {
                Figure::Life(self.life(self.subject(subject, latency)?, calls, quota).await?)
            }
            Work::Client { subject, calls } => {
                Figure::Client(self.client(self.subject(subject, NO_WAIT)?, calls).await?)
            }
            Work::Long { subject, step, steps } => {
                Figure::Long(self.long(self.subject(subject, NO_WAIT)?, step, steps).await?)
            }
            Work::Freeze { subject, times } => {
                Figure::Freeze(self.freeze(self.subject(subject, NO_WAIT)?, times).await?)
            }
        })
    }

    /// A subject, for which the services are made ready.
    fn subject(&self, at: usize, latency: Latency) -> Result<&Subject> {
        let subject = self.plan.subjects.get(at).context("the plan has no such subject")?;
        self.services.prepare(&subject.answers, latency);
        Ok(subject)
    }

    async fn life(&self, subject: &Subject, calls: u64, quota: Option<Quota>) -> Result<Life> {
        let mut instance = Instance::start(subject, &self.services, quota).await?;
        let (start_ns, start_cpu_ns) = instance.start;
        let first_ns = instance.call().await?;
        let after_first = instance.cpu_ns()?;
        let mut warm_ns = Vec::new();
        for _ in 0..calls {
            warm_ns.push(instance.call().await?);
        }
        let life = Life {
            subject: subject.name.clone(),
            start_ns,
            start_cpu_ns,
            first_ns,
            first_cpu_ns: after_first.saturating_sub(start_cpu_ns),
            warm_ns,
            warm_cpu_ns: instance.cpu_ns()?.saturating_sub(after_first),
            peak_rss_kib: instance.memory_kib()?.1,
        };
        instance.end().await?;
        Ok(life)
    }

    async fn client(&self, subject: &Subject, calls: u64) -> Result<Conversation> {
        let mut instance = Instance::start(subject, &self.services, None).await?;
        // The first call may do what later ones need not.
        instance.call().await?;
        self.services.prepare(&subject.answers, SLOW);
        self.services.record();
        instance.call().await?;
        let heard = hops(self.services.recorded());
        instance.end().await?;
        self.services.prepare(&subject.answers, NO_WAIT);
        let hops = heard.iter().map(|hop| hop.iter().map(|heard| heard.service).collect());
        let conversation = Conversation {
            subject: subject.name.clone(),
            hops: hops.collect(),
            ..Conversation::default()
        };
        if heard.is_empty() {
            return Ok(conversation);
        }
        let recorded = |heard| Recorded::of(heard, self.services.port(heard.service));
        let errand = Errand {
            ca: self.plan.authority.ca.clone(),
            calls,
            hops: heard.iter().map(|hop| hop.iter().map(recorded).collect()).collect(),
        };
        let Errands { replay_ns, cpu_ns } = self.send(&errand).await?;
        Ok(Conversation { replay_ns, replay_cpu_ns: cpu_ns, ..conversation })
    }

    async fn send(&self, errand: &Errand) -> Result<Errands> {
        let mut client = Command::new(&self.plan.program)
            .arg("client")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run the bare client")?;
        let mut input = client.stdin.take().context("the bare client has no input")?;
        input.write_all(&serde_json::to_vec(errand)?).await?;
        drop(input);
        let output = client.wait_with_output().await?;
        ensure!(output.status.success(), "the bare client failed");
        serde_json::from_slice(&output.stdout).context("the bare client says nothing that is known")
    }

    async fn long(&self, subject: &Subject, step: u64, steps: u64) -> Result<Long> {
        let mut instance = Instance::start(subject, &self.services, None).await?;
        let opened = self.services.connections();
        instance.call().await?;
        let mut long = Long { subject: subject.name.clone(), looks: Vec::new() };
        long.looks.push(self.look(&instance, 1, opened)?);
        for at in 1..=steps {
            for _ in 0..step {
                instance.call().await?;
            }
            let calls = at.saturating_mul(step).saturating_add(1);
            long.looks.push(self.look(&instance, calls, opened)?);
        }
        instance.end().await?;
        Ok(long)
    }

    fn look(&self, instance: &Instance, calls: u64, opened: u64) -> Result<Look> {
        let (rss_kib, peak_rss_kib) = instance.memory_kib()?;
        Ok(Look {
            calls,
            rss_kib,
            peak_rss_kib,
            descriptors: instance.descriptors()?,
            connections: self.services.connections().saturating_sub(opened),
        })
    }

    async fn freeze(&self, subject: &Subject, times: u64) -> Result<Freeze> {
        let mut instance = Instance::start(subject, &self.services, None).await?;
        instance.call().await?;
        let mut freeze = Freeze { subject: subject.name.clone(), ..Freeze::default() };
        for _ in 0..times {
            freeze.requests = self.counted(&mut instance).await?.1;
            instance.signal(Signal::SIGSTOP)?;
            self.services.hang_up();
            // The connections' tasks close them before anything else happens here.
            tokio::task::yield_now().await;
            instance.signal(Signal::SIGCONT)?;
            let opened = self.services.connections();
            let (call_ns, requests) = self.counted(&mut instance).await?;
            freeze.call_ns.push(call_ns);
            freeze.after.push(requests);
            freeze.connections.push(self.services.connections().saturating_sub(opened));
        }
        instance.end().await?;
        Ok(freeze)
    }

    /// How long a call takes, and how many requests it makes.
    async fn counted(&self, instance: &mut Instance) -> Result<(u64, u64)> {
        let before = self.services.requests();
        let call_ns = instance.call().await?;
        Ok((call_ns, self.services.requests().saturating_sub(before)))
    }
}
