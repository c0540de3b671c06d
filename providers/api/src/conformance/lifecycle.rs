//! Does an object live as planned: made, read, changed, replaced, deleted?

use super::{
    Existence, Outcome, Vanished,
    session::{Object, Session, ensure},
};
use weir_core::{Kind, Path, Value, schema::SetBy};

pub(super) async fn validate(s: &Session<'_>) -> Outcome {
    let ty = &s.case.type_name;
    for good in [
        Some(&s.case.config),
        s.case.update.as_ref(),
        s.case.replace.as_ref(),
    ] {
        let Some(good) = good else { continue };
        let found = s.provider.validate(ty, good).await;
        if found.has_errors() {
            return Outcome::Failed(format!("a good configuration is refused: {found}"));
        }
        let found = s.provider.validate(ty, &all_unknown(good)).await;
        if found.has_errors() {
            return Outcome::Failed(format!("unknown values are refused: {found}"));
        }
    }
    for (i, wrong) in s.case.refused.iter().enumerate() {
        if !s.provider.validate(ty, wrong).await.has_errors() {
            return Outcome::Failed(format!("wrong configuration number {i} is let through"));
        }
    }
    if s.case.refused.is_empty() {
        return Outcome::Skipped("the fixture has no wrong configuration".into());
    }
    Outcome::Passed
}

/// Every set attribute unknown: what a configuration looks like before its inputs are known.
fn all_unknown(config: &Value) -> Value {
    let fields = config
        .as_entries()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let open = match value.kind() {
                Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => Value::unknown(value.ty()),
                _ => value.clone(),
            };
            (name.clone(), open)
        });
    Value::object(fields)
}

pub(super) async fn plan_of_create(s: &Session<'_>) -> Outcome {
    Outcome::of(async { create_leaves_computed_unknown(s).await }.await)
}

async fn create_leaves_computed_unknown(s: &Session<'_>) -> Result<(), String> {
    let before = s.count().await;
    let plan = s.plan(None, &s.case.config).await?;
    let schema = s.schema();
    let computed: Vec<&String> = (schema.block.attributes.iter())
        .filter(|(_, a)| a.set_by == SetBy::Computed)
        .map(|(name, _)| name)
        .collect();
    let open = computed
        .iter()
        .any(|n| plan.planned.get(n).is_some_and(|v| !v.is_wholly_known()));
    ensure(computed.is_empty() || open, || {
        format!("every computed attribute ({computed:?}) is known before the object is made")
    })?;
    ensure(s.count().await == before, || {
        "planning made an object".into()
    })?;
    let again = s.plan(None, &s.case.config).await?;
    ensure(again.planned == plan.planned, || {
        "two plans of the same differ".into()
    })
}

pub(super) async fn second_plan_is_empty(s: &mut Session<'_>) -> Outcome {
    Outcome::of(no_op_after_apply(s).await)
}

async fn no_op_after_apply(s: &mut Session<'_>) -> Result<(), String> {
    let object = s.create().await?;
    unchanged(s, &object, &s.case.config).await?;
    s.restart().await;
    let read = s
        .read(&object)
        .await?
        .ok_or("the object is gone after a restart")?;
    unchanged(s, &read, &s.case.config).await?;
    s.delete(&object).await
}

async fn unchanged(s: &Session<'_>, object: &Object, config: &Value) -> Result<(), String> {
    let plan = s.plan(Some(object), config).await?;
    let (was, planned) = (object.value.value(), &plan.planned);
    ensure(planned == was, || {
        format!("it would change again: {was} would become {planned}")
    })
}

pub(super) async fn read_equals_apply(s: &mut Session<'_>) -> Outcome {
    Outcome::of(read_equals(s).await)
}

async fn read_equals(s: &mut Session<'_>) -> Result<(), String> {
    let object = s.create().await?;
    let read = s
        .read(&object)
        .await?
        .ok_or("the object is not found after it was made")?;
    ensure(read.value == object.value, || {
        format!(
            "apply said {} and read says {}",
            object.value.value(),
            read.value.value()
        )
    })?;
    s.delete(&object).await
}

pub(super) async fn update(s: &mut Session<'_>) -> Outcome {
    let Some(config) = s.case.update.clone() else {
        return Outcome::Skipped("the fixture has no update".into());
    };
    Outcome::of(update_in_place(s, &config).await)
}

pub(super) async fn update_in_place(s: &mut Session<'_>, config: &Value) -> Result<(), String> {
    let object = s.create().await?;
    let before = s.count().await;
    let plan = s.plan(Some(&object), config).await?;
    let was = object.value.value();
    ensure(plan.planned != *was, || "the change is not seen".into())?;
    let must_replace = really_differ(&plan.requires_replace, was, &plan.planned);
    ensure(must_replace.is_empty(), || {
        format!("it can't change {must_replace:?} in place")
    })?;
    let request = s.request(
        weir_core::plan::Op::Update,
        Some(&object),
        Some(config),
        Some(plan),
    );
    let updated = s.applied(request).await?;
    unchanged(s, &updated, config).await?;
    let read = s
        .read(&updated)
        .await?
        .ok_or("the object is gone after the update")?;
    ensure(read.value == updated.value, || {
        "read after the update differs from apply".into()
    })?;
    ensure(s.count().await == before, || {
        "the update changed the number of objects".into()
    })?;
    s.delete(&updated).await
}

/// Those of the paths at which the values differ.
fn really_differ(paths: &[Path], prior: &Value, planned: &Value) -> Vec<String> {
    paths
        .iter()
        .filter(|p| prior.at(p) != planned.at(p))
        .map(Path::to_string)
        .collect()
}

pub(super) async fn replace(s: &mut Session<'_>) -> Outcome {
    let Some(config) = s.case.replace.clone() else {
        return Outcome::Skipped("the fixture has no replacement".into());
    };
    Outcome::of(replace_by_plan(s, &config).await)
}

async fn replace_by_plan(s: &mut Session<'_>, config: &Value) -> Result<(), String> {
    let object = s.create().await?;
    let plan = s.plan(Some(&object), config).await?;
    for path in &plan.requires_replace {
        let exists = object.value.value().at(path).is_some() || plan.planned.at(path).is_some();
        ensure(exists, || {
            format!("requires_replace names `{path}`, which is nowhere")
        })?;
    }
    let differ = really_differ(&plan.requires_replace, object.value.value(), &plan.planned);
    ensure(!differ.is_empty(), || {
        "no differing attribute asks to replace".into()
    })?;
    let same = s.plan(Some(&object), &s.case.config).await?;
    let differ = really_differ(&same.requires_replace, object.value.value(), &same.planned);
    ensure(differ.is_empty(), || {
        format!("{differ:?} ask to replace with nothing changed")
    })?;
    s.delete(&object).await?;
    let plan = s.plan(None, config).await?;
    let request = s.request(weir_core::plan::Op::Create, None, Some(config), Some(plan));
    let made = s.applied(request).await?;
    s.delete(&made).await
}

pub(super) async fn delete(s: &mut Session<'_>) -> Outcome {
    Outcome::of(delete_then_read(s).await)
}

async fn delete_then_read(s: &mut Session<'_>) -> Result<(), String> {
    let before = s.count().await;
    let object = s.create().await?;
    s.delete(&object).await?;
    if s.case.existence == Existence::Outside {
        let read = s.read(&object).await?;
        ensure(read.is_none(), || {
            "read still finds the deleted object".into()
        })?;
    }
    ensure(s.count().await == before, || {
        "the number of objects is not what it was".into()
    })
}

pub(super) async fn vanished(s: &mut Session<'_>) -> Outcome {
    if s.case.existence == Existence::StateOnly {
        return Outcome::Skipped("its objects are in state alone".into());
    }
    let object = match s.create().await {
        Ok(object) => object,
        Err(reason) => return Outcome::Failed(reason),
    };
    match s.fixture.vanish(&s.case.type_name, &object.value).await {
        Vanished::Gone => Outcome::of(after_vanishing(s, &object).await),
        Vanished::Unsupported => match s.delete(&object).await {
            Ok(()) => Outcome::Skipped("the fixture can't make objects vanish".into()),
            Err(reason) => Outcome::Failed(reason),
        },
    }
}

async fn after_vanishing(s: &Session<'_>, object: &Object) -> Result<(), String> {
    let read = s.read(object).await?;
    ensure(read.is_none(), || {
        "read still finds the vanished object".into()
    })?;
    s.delete(object)
        .await
        .map_err(|e| format!("deleting what is gone already must succeed: {e}"))
}
