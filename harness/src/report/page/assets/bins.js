// Rates and percentiles over time. A report's come ready, from every token; those
// of a run that goes on are kept with their samples.

class Bins {
  constructor(from, width, groups) {
    this.from = from;
    this.width = width;
    this.groups = groups;
    this.requests = groups.map(() => []);
    this.tokens = [];
    this.ttft = { p50: [], p99: [] };
    this.itl = { p50: [], p99: [] };
    this.samples = [];
  }

  static from(data, groups) {
    const bins = new Bins(data.from_us, data.width_us, groups);
    const { requests, tokens, ttft, itl } = data;
    return Object.assign(bins, { requests, tokens, ttft, itl });
  }

  get length() {
    return this.tokens.length;
  }

  place(t) {
    return Math.floor((t - this.from) / this.width);
  }

  // There is room for a place.
  reach(place) {
    while (this.tokens.length <= place) {
      this.requests.forEach((counts) => counts.push(0));
      this.tokens.push(0);
      for (const quantile of [this.ttft, this.itl]) {
        quantile.p50.push(null);
        quantile.p99.push(null);
      }
      this.samples.push({ ttft: [], itl: [] });
    }
  }

  // Takes a request that is over.
  add(row) {
    const touched = new Set();
    const at = this.place(row.at);
    if (at < 0) return;
    this.reach(Math.max(at, this.place(row.end)));
    this.requests[this.groups.indexOf(row.group)][at] += 1;
    if (row.times.length) this.samples[at].ttft.push(row.times[0] - row.at);
    touched.add(at);
    row.times.forEach((t, n) => {
      const place = this.place(t);
      this.reach(place);
      this.tokens[place] += 1;
      if (n) this.samples[place].itl.push(t - row.times[n - 1]);
      touched.add(place);
    });
    for (const place of touched) this.measure(place);
  }

  measure(place) {
    for (const name of ["ttft", "itl"]) {
      const sorted = this.samples[place][name].sort((a, b) => a - b);
      const rank = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
      this[name].p50[place] = rank(0.5);
      this[name].p99[place] = rank(0.99);
    }
  }
}
