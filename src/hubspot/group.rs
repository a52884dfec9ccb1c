use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    batch::Input,
    record_shape::{Answer, RecordShape},
    wire::{Associated, ObjectId},
};

/// An object and all of its associations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// The requested object.
    pub from: ObjectId,
    /// The objects that it is associated with, in the order of its pages.
    pub to: Vec<Associated>,
}

impl RecordShape for Group {
    const IDENTITY_SUFFIX: &'static str = ", grouped";
    const TAKES_PARTS: bool = false;

    fn key(&self) -> u64 {
        self.from.key()
    }

    fn append_records(
        id: &ObjectId,
        input: Option<&Input>,
        answer: Answer,
        groups: &mut Vec<Self>,
    ) -> Option<Input> {
        let mut gathered = input.map_or_else(Vec::new, |input| input.gathered.clone());
        if let Some(next) = answer.next {
            gathered.push(Arc::new(answer.to));
            return Some(Input { gathered, ..next });
        }
        if !answer.failed {
            let mut to = gathered.iter().flat_map(|page| page.iter().cloned()).collect::<Vec<_>>();
            to.extend(answer.to);
            groups.push(Self { from: id.clone(), to });
        }
        None
    }
}
