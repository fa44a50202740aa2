//! The voltage of a string of lithium iron phosphate cells.

/// A cell is empty at this voltage.
pub(super) const CUT_OFF_V: f64 = 2.5;

/// Open-circuit voltage of one cell at a state of charge (the cathode of a
/// published fit, less 0.10 V for the anode).
pub(super) fn cell_ocv(charge: f64) -> f64 {
    let s = charge.clamp(0.005, 0.99);
    3.4077 - 0.020269 * (1.0 - s) + 0.5 * (-150.0 * (1.0 - s)).exp()
        - 0.9 * (-30.0 * s).exp()
        - 0.10
}

/// Voltage and current of a string of `cells`, each of `ohms`, that gives this
/// power, positive when discharging. Where it cannot give it, the current is
/// what gives most.
pub(super) fn terminal(cells: f64, ohms: f64, charge: f64, watts: f64) -> (f64, f64) {
    let open = cell_ocv(charge);
    let per_cell = watts / cells;
    let root = (open * open - 4.0 * ohms * per_cell).max(0.0).sqrt();
    let amps = if ohms > 0.0 {
        (open - root) / (2.0 * ohms)
    } else {
        per_cell / open
    };
    (cells * (open - amps * ohms), amps)
}
