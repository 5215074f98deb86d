//! Triggers of releases' objects that a helm upgrade would leave where they are (R12).

use super::{Code, Finding, Index, ObjectId};
use crate::output::escape::escape;

/// Every trigger that another manager than the release's owns.
#[must_use]
pub fn find(index: &Index<'_>) -> Vec<Finding> {
    let triggers =
        index.seen.consumers.iter().flat_map(|consumer| consumer.foreign.iter().map(move |of| (consumer, of)));
    triggers
        .map(|(consumer, trigger)| Finding {
            code: Code::ForeignTrigger,
            object: ObjectId::consumer(consumer),
            path: Some(trigger.key.clone()),
            hosts: Vec::new(),
            secret_name: None,
            message: format!(
                "{} also belongs to \"{}\", so no upgrade of release {} takes it away",
                escape(&trigger.key),
                escape(&trigger.manager),
                consumer.release.as_ref().map(|release| escape(&release.name).into_owned()).unwrap_or_default(),
            ),
            commands: vec![trigger.command.clone()],
        })
        .collect()
}
