//! Runs the bench's own program on a plan and hears its figures.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use bench::Authority;
use bench::plan::{Figure, Plan, Subject, Work};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use super::build::Built;
use super::subjects::{self, Operation};
use super::{Progress, canned};
use crate::template::Template;
use crate::{binaries, defaults, tls};

/// What is needed to run a plan.
#[derive(Debug)]
pub(super) struct Runner {
    built: Built,
    template: Template,
    operations: Vec<Operation>,
    authority: Authority,
}

impl Runner {
    pub(super) fn new(built: Built, operations: Vec<Operation>) -> Result<Self> {
        Ok(Self {
            built,
            template: Template::read(&binaries::workspace().join("template.yaml"))?,
            operations,
            authority: tls::authority(defaults::HOST)?,
        })
    }

    /// Does the work in a new process, on subjects with fresh signatures.
    pub(super) async fn run(
        &self,
        work: Vec<Work>,
        progress: &mut Progress,
    ) -> Result<Vec<Figure>> {
        let plan = Plan {
            authority: self.authority.clone(),
            subjects: self.subjects()?,
            work,
            program: self.built.program.clone(),
        };
        let mut program = Command::new(&self.built.program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run the bench")?;
        let mut input = program.stdin.take().context("the bench has no input")?;
        input.write_all(&serde_json::to_vec(&plan)?).await?;
        drop(input);
        let mut lines =
            BufReader::new(program.stdout.take().context("the bench has no output")?).lines();
        let mut figures = Vec::new();
        while let Some(line) = lines.next_line().await? {
            figures.push(serde_json::from_str(&line).context("not a figure")?);
            progress.step();
        }
        let status = program.wait().await?;
        ensure!(status.success(), "the bench failed (its message is above)");
        Ok(figures)
    }

    pub(super) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// What the zip file of an operation's function weighs.
    pub(super) fn zip_bytes(&self, operation: &Operation) -> Result<u64> {
        let binary = self.built.of(operation.function)?;
        let executable =
            std::fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
        Ok(u64::try_from(bench::zipped(&executable)?)?)
    }

    /// Why no limit of CPU can be set here; nothing where it can.
    pub(super) async fn quota_refused(&self) -> Result<Option<String>> {
        let output = Command::new(&self.built.program).arg("quota").output().await?;
        ensure!(output.status.success(), "the bench cannot say whether CPU can be limited");
        let why = String::from_utf8(output.stdout)?;
        Ok((!why.is_empty()).then_some(why))
    }

    /// The operations' places in a plan.
    pub(super) fn places(&self, wanted: impl Fn(&Operation) -> bool) -> Vec<usize> {
        let operations = self.operations.iter().enumerate();
        operations.filter(|(_, operation)| wanted(operation)).map(|(at, _)| at).collect()
    }

    fn subjects(&self) -> Result<Vec<Subject>> {
        let secrets = canned::secrets(&subjects::secrets()?);
        let subject = |operation: &Operation| {
            let binary = self.built.of(operation.function)?.to_owned();
            let mut subject = operation.subject(&self.template, binary)?;
            subject.answers.extend(secrets.clone());
            Ok(subject)
        };
        self.operations.iter().map(subject).collect()
    }
}
