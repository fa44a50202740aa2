// Requests: from a report's columns, or from an event's ledger row.

function rowsOf(requests, words) {
  const column = Object.fromEntries(requests.columns.map(([name, text]) => [name, unpackText(text)]));
  const at = unpackGrowing(requests.at);
  const lengths = unpackText(requests.lengths);
  const bytes = unpackBytes(requests.tokens);
  let offset = 0;
  const maybe = (name, n) => (column[name][n] ? at[n] + column[name][n] - 1 : null);
  const rows = at.map((start, n) => {
    const load = words[column.load[n]];
    const id = requests.ids[n];
    const packed = bytes.subarray(offset, (offset += lengths[n]));
    const by = column.by[n] ? words[column.by[n] - 1] : null;
    return {
      id: typeof id === "number" ? `${load}-${id}` : id,
      load,
      class: words[column.class[n]],
      at: start,
      sent: start + column.sent[n],
      connected: maybe("connected", n),
      headers: maybe("headers", n),
      error: maybe("error", n),
      end: start + column.end[n],
      silence: column.silence[n] ? column.silence[n] - 1 : null,
      fate: words[column.fate[n]],
      group: words[column.group[n]],
      ended: words[column.ended[n]],
      prompt: column.prompt[n],
      asked: column.asked[n],
      tokens: column.tokens[n],
      status: column.status[n] || null,
      tries: column.tries[n],
      served: by === null ? [] : [{ by, from: 0 }],
      attempts: [],
      detail: "",
      packed,
      unit: requests.unit_us,
    };
  });
  for (const [n, detail] of requests.details) rows[n].detail = detail;
  for (const [n, served] of requests.served) {
    rows[n].served = served.map(([by, from]) => ({ by: words[by], from }));
  }
  for (const [n, attempts] of requests.attempts) {
    rows[n].attempts = attempts.map(([index, gateway, replica, start, end, from, tokens, how]) => ({
      index, gateway: words[gateway], replica: words[replica],
      start: at[n] + start, end: at[n] + end, from, tokens, how: words[how],
    }));
  }
  return rows;
}

const WHOLE = ["completed", "resumed", "retried"];
const WRONG = ["gap", "duplicated", "restarted", "corrupted"];

// How an assertion counts a fate: as load/fate.rs has it.
function groupOf(fate, tokens) {
  if (WHOLE.includes(fate)) return "whole";
  if (WRONG.includes(fate)) return "corrupted";
  if (fate === "shed") return "shed";
  return tokens > 0 ? "torn" : "lost";
}

// A row of the ledger, as an event has it.
function rowOfEvent(event, attempts) {
  let now = 0;
  const times = event.token_us.map((step) => (now += step));
  const gaps = event.token_us.slice(1);
  const group = groupOf(event.fate, event.tokens);
  const tail = group === "whole" || !times.length ? 0 : event.end_us - times.at(-1);
  return {
    id: event.id, load: event.load, class: event.class,
    at: event.scheduled_us, sent: event.sent_us, connected: event.connected_us,
    headers: event.headers_us, error: event.first_error_us, end: event.end_us,
    silence: times.length ? gaps.reduce((most, gap) => Math.max(most, gap), tail) : null,
    fate: event.fate, group, ended: event.termination,
    prompt: event.prompt_tokens, asked: event.output_tokens, tokens: event.tokens,
    status: event.status, tries: event.attempts,
    served: event.served_by.map(([by, from]) => ({ by, from })),
    attempts, detail: event.detail, times,
  };
}
