// Numbers and states as people read them.

function trimmed(value, decimals) {
  const text = value.toFixed(decimals);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

// A length of time: `850 µs`, `9.6 ms`, `20 s`.
function showTime(us) {
  if (us === 0) return "0 ms";
  if (us < 1e3) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${trimmed(us / 1e3, us < 1e5 ? 1 : 0)} ms`;
  if (us < 6e8) return `${trimmed(us / 1e6, 2)} s`;
  return `${trimmed(us / 6e7, 1)} min`;
}

// A moment in playbook time.
function showMoment(us) {
  return `${(us / 1e6).toFixed(2)} s`;
}

function showCount(value) {
  if (value >= 1e6) return `${trimmed(value / 1e6, 1)} M`;
  if (value >= 1e4) return `${trimmed(value / 1e3, 1)} k`;
  return trimmed(value, value < 10 ? 1 : 0);
}

function showPower(watts) {
  if (watts >= 1e6) return `${trimmed(watts / 1e6, 2)} MW`;
  if (watts >= 1e3) return `${trimmed(watts / 1e3, 2)} kW`;
  return `${Math.round(watts)} W`;
}

function showState(word) {
  return word.replaceAll("_", " ");
}

// How a state is to be looked at: `calm`, `battery` (lives on something that
// ends), `dead` (does not work), `between`.
const MOODS = {
  calm: ["utility", "normal", "healthy", "ready", "up", "on_a", "on_b", "closed", "running", "idle",
    "standby", "following", "eco", "recovered", "fed", "charging", "obeyed"],
  battery: ["on_battery", "discharging", "forming", "loaded", "low_battery", "critical", "bypass",
    "generator", "hold-up", "island"],
  dead: ["off", "unhealthy", "dark", "empty", "open", "fault", "tripped", "locked", "blind",
    "shutdown", "shutting_down"],
};

function moodOf(word) {
  const mood = Object.keys(MOODS).find((name) => MOODS[name].includes(word));
  if (mood) return mood;
  if (/^refused/.test(word)) return "dead";
  if (/OB|LB|BYPASS/.test(word)) return "battery";
  return /^OL/.test(word) ? "calm" : "between";
}
