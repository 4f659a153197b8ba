//! The residual stream put back at every layer and token by candle-mi: `grid < REQUEST`, questions and answers as in ../grid.py; the model
//! is read from the folder `plain`, which holds safetensors.

use candle_core::{DType, Device, IndexOp, Tensor};
use candle_mi::{GenericTransformer, HookPoint, HookSpec, Intervention, MIModel, SUPPORTED_MODEL_TYPES, TransformerConfig};
use candle_nn::VarBuilder;
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

/// Seconds after which a grid is not made again, but so often at least; and at most.
const LONG: f64 = 20.0;
const FEWEST: usize = 2;
const MOST: usize = 10;

type Answer<T> = Result<T, Box<dyn Error>>;

struct Grid {
    model: MIModel,
    clean: Tensor,
    corrupt: Tensor,
    tokens: usize,
    answer: usize,
}

impl Grid {
    fn open(folder: &Path, config: &Value, ask: &Value) -> Answer<Self> {
        let device = Device::Cpu;
        let weights = std::fs::read(folder.join("model.safetensors"))?;
        let vars = VarBuilder::from_buffered_safetensors(weights, DType::F32, &device)?;
        let model = GenericTransformer::load(TransformerConfig::from_hf_config(config)?, &device, DType::F32, vars)?;
        let clean = ids(&ask["clean"])?;
        let corrupt = ids(&ask["corrupt"])?;
        let tokens = corrupt.len();
        Ok(Self {
            model: MIModel::new(Box::new(model), device.clone()),
            clean: Tensor::new(clean, &device)?.unsqueeze(0)?,
            corrupt: Tensor::new(corrupt, &device)?.unsqueeze(0)?,
            tokens,
            answer: usize::try_from(ask["answer"].as_u64().ok_or("answer: expected an id")?)?,
        })
    }

    /// The residual stream after each layer, [1, T, d].
    fn kept(&self, ids: &Tensor) -> Answer<Vec<Tensor>> {
        let mut hooks = HookSpec::new();
        for layer in 0..self.model.num_layers() {
            hooks.capture(HookPoint::ResidPost(layer));
        }
        let cache = self.model.forward(ids, &hooks)?;
        (0..self.model.num_layers()).map(|l| Ok(cache.require(&HookPoint::ResidPost(l))?.clone())).collect()
    }

    /// The answer's probability in each row of a run with one value changed.
    fn changed(&self, ids: &Tensor, layer: usize, change: Intervention) -> Answer<Vec<f64>> {
        let mut hooks = HookSpec::new();
        hooks.intervene(HookPoint::ResidPost(layer), change);
        let cache = self.model.forward(ids, &hooks)?;
        let last = cache.output().i((.., self.tokens - 1))?.to_dtype(DType::F64)?;
        last.to_vec2::<f64>()?.iter().map(|row| Ok(probability(row, self.answer))).collect()
    }

    fn one_by_one(&self) -> Answer<Vec<f64>> {
        let kept = self.kept(&self.clean)?;
        let mut grid = Vec::new();
        for (layer, clean) in kept.iter().enumerate() {
            for position in 0..self.tokens {
                let value = clean.narrow(1, position, 1)?;
                grid.extend(self.changed(&self.corrupt, layer, Intervention::PatchAt { position, value })?);
            }
        }
        Ok(grid)
    }

    /// One position can be patched at a time: a whole tensor stands for the cells of a layer, row t clean at token t.
    fn batched(&self) -> Answer<Vec<f64>> {
        let clean = self.kept(&self.clean)?;
        let corrupt = self.kept(&self.corrupt)?;
        let device = Device::Cpu;
        let many = self.corrupt.repeat((self.tokens, 1))?;
        let cells = Tensor::eye(self.tokens, DType::U8, &device)?.unsqueeze(2)?;
        let mut grid = Vec::new();
        for (layer, (clean, corrupt)) in clean.iter().zip(&corrupt).enumerate() {
            let shape = (self.tokens, self.tokens, clean.dim(2)?);
            let value = cells.broadcast_as(shape)?.where_cond(&clean.broadcast_as(shape)?, &corrupt.broadcast_as(shape)?)?;
            grid.extend(self.changed(&many, layer, Intervention::Replace(value))?);
        }
        Ok(grid)
    }
}

fn ids(list: &Value) -> Answer<Vec<u32>> {
    let list = list.as_array().ok_or("clean, corrupt: expected lists of ids")?;
    list.iter().map(|v| Ok(u32::try_from(v.as_u64().ok_or("expected ids")?)?)).collect()
}

fn probability(logits: &[f64], answer: usize) -> f64 {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (logits[answer] - most).exp() / logits.iter().map(|l| (l - most).exp()).sum::<f64>()
}

fn best(grid: impl Fn() -> Answer<Vec<f64>>) -> Answer<(f64, Vec<f64>)> {
    let begun = Instant::now();
    let mut least = f64::INFINITY;
    let mut made = 0;
    loop {
        let begin = Instant::now();
        let values = grid()?;
        least = least.min(begin.elapsed().as_secs_f64());
        made += 1;
        if made >= FEWEST && (made >= MOST || begun.elapsed().as_secs_f64() >= LONG) {
            return Ok((least, values));
        }
    }
}

fn main() -> Answer<()> {
    let ask: Value = serde_json::from_reader(std::io::stdin())?;
    let folder = Path::new(ask["plain"].as_str().ok_or("plain: expected a folder")?);
    let config: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("config.json"))?)?;
    let mut said = json!({"name": "candle-mi", "version": env!("CARGO_PKG_VERSION"), "threads": ask["threads"]});
    let family = config["model_type"].as_str().ok_or("config.json: expected a model_type")?;
    if !SUPPORTED_MODEL_TYPES.contains(&family) {
        said["unknown"] = json!(family);
        println!("{said}");
        return Ok(());
    }
    let grid = Grid::open(folder, &config, &ask)?;
    said["grid"] = json!(grid.one_by_one()?);
    println!("{said}");
    let single = best(|| grid.one_by_one())?;
    let batched = best(|| grid.batched())?;
    println!("{}", json!({"seconds": {"one by one": single.0, "layers batched": batched.0}, "grid": batched.1}));
    Ok(())
}
