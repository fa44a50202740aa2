//! Counters under the names that vLLM gives them.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, in seconds.
const BOUNDS_S: [f64; 14] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.75, 1.5, 3.0, 10.0, 30.0, 120.0,
];

#[derive(Default)]
pub(super) struct Histogram(Mutex<Buckets>);

#[derive(Clone, Copy, Default)]
struct Buckets {
    counts: [u64; BOUNDS_S.len()],
    count: u64,
    sum_s: f64,
}

impl Histogram {
    pub(super) fn observe(&self, value: Duration) {
        let value = value.as_secs_f64();
        let mut buckets = self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        buckets.count += 1;
        buckets.sum_s += value;
        if let Some(at) = BOUNDS_S.iter().position(|bound| value <= *bound) {
            buckets.counts[at] += 1;
        }
    }

    fn write(&self, out: &mut String, name: &str, model: &str) {
        let buckets = *self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        let _ = writeln!(out, "# TYPE {name} histogram");
        let mut total = 0;
        for (bound, count) in BOUNDS_S.iter().zip(buckets.counts) {
            total += count;
            let _ = writeln!(
                out,
                "{name}_bucket{{model_name=\"{model}\",le=\"{bound}\"}} {total}"
            );
        }
        let _ = writeln!(
            out,
            "{name}_bucket{{model_name=\"{model}\",le=\"+Inf\"}} {}",
            buckets.count
        );
        let _ = writeln!(
            out,
            "{name}_sum{{model_name=\"{model}\"}} {}",
            buckets.sum_s
        );
        let _ = writeln!(
            out,
            "{name}_count{{model_name=\"{model}\"}} {}",
            buckets.count
        );
    }
}

/// What a replica counts.
#[derive(Default)]
pub(super) struct Metrics {
    pub(super) prompt_tokens: AtomicU64,
    pub(super) generation_tokens: AtomicU64,
    pub(super) finished_length: AtomicU64,
    pub(super) finished_abort: AtomicU64,
    /// Bits of `ClockReasons`.
    pub(super) clock_reasons: AtomicU64,
    pub(super) time_to_first_token: Histogram,
    pub(super) inter_token: Histogram,
    pub(super) end_to_end: Histogram,
    pub(super) queued: Histogram,
    pub(super) prefill: Histogram,
    pub(super) decode: Histogram,
}

impl Metrics {
    /// The exposition text.
    pub(super) fn render(&self, model: &str, running: usize, waiting: usize, slots: u32) -> String {
        let model = model.replace(['"', '\\', '\n'], "_");
        let mut out = String::new();
        let gauges = [
            ("vllm:num_requests_running", running as f64),
            ("vllm:num_requests_waiting", waiting as f64),
            (
                "vllm:kv_cache_usage_perc",
                running as f64 / f64::from(slots.max(1)),
            ),
        ];
        for (name, value) in gauges {
            let _ = writeln!(
                out,
                "# TYPE {name} gauge\n{name}{{model_name=\"{model}\"}} {value}"
            );
        }
        // As DCGM's exporter names it, beside the engine's own.
        let reasons = self.clock_reasons.load(Ordering::Relaxed);
        let _ = writeln!(
            out,
            "# TYPE DCGM_FI_DEV_CLOCKS_EVENT_REASONS gauge\nDCGM_FI_DEV_CLOCKS_EVENT_REASONS{{gpu=\"0\"}} {reasons}"
        );
        let counters = [
            ("vllm:prompt_tokens_total", &self.prompt_tokens),
            ("vllm:generation_tokens_total", &self.generation_tokens),
        ];
        for (name, value) in counters {
            let value = value.load(Ordering::Relaxed);
            let _ = writeln!(
                out,
                "# TYPE {name} counter\n{name}{{model_name=\"{model}\"}} {value}"
            );
        }
        let _ = writeln!(out, "# TYPE vllm:request_success_total counter");
        for (reason, value) in [
            ("length", &self.finished_length),
            ("abort", &self.finished_abort),
        ] {
            let _ = writeln!(
                out,
                "vllm:request_success_total{{model_name=\"{model}\",finished_reason=\"{reason}\"}} {}",
                value.load(Ordering::Relaxed)
            );
        }
        for (name, histogram) in [
            (
                "vllm:time_to_first_token_seconds",
                &self.time_to_first_token,
            ),
            ("vllm:inter_token_latency_seconds", &self.inter_token),
            ("vllm:e2e_request_latency_seconds", &self.end_to_end),
            ("vllm:request_queue_time_seconds", &self.queued),
            ("vllm:request_prefill_time_seconds", &self.prefill),
            ("vllm:request_decode_time_seconds", &self.decode),
        ] {
            histogram.write(&mut out, name, &model);
        }
        out
    }
}
