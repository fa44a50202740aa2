// The verdict, as far as it is known.

class Verdict {
  constructor(badge, sentence) {
    this.badge = badge;
    this.sentence = sentence;
  }

  // `verdict`: `pass`, `fail`, `invalid`, or another word while none is known.
  update({ verdict, sentence }) {
    this.badge.className = `badge ${verdict}`;
    this.badge.textContent = verdict.toUpperCase();
    this.sentence.textContent = sentence;
  }
}
