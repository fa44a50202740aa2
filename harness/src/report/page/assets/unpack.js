// Numbers as report/page/pack.rs writes them: seven bits to a byte, then base64.

function unpackBytes(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let n = 0; n < raw.length; n++) bytes[n] = raw.charCodeAt(n);
  return bytes;
}

// Every number of some bytes. Beyond 2^31 shifts would wrap, so it multiplies.
function unpackNumbers(bytes) {
  const numbers = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte & 127) * scale;
    if (byte & 128) {
      scale *= 128;
    } else {
      numbers.push(value);
      value = 0;
      scale = 1;
    }
  }
  return numbers;
}

function unpackText(text) {
  return unpackNumbers(unpackBytes(text));
}

// Numbers that grow, each told as what it adds.
function unpackGrowing(text) {
  let sum = 0;
  return unpackText(text).map((gap) => (sum += gap));
}

// Odd numbers are negative.
function unsign(value) {
  return value % 2 ? -(value + 1) / 2 : value / 2;
}

// The times of one request's tokens from its intended send, in microseconds:
// steps of steps.
function unpackTokens(bytes, unit) {
  let at = 0;
  let gap = 0;
  return unpackNumbers(bytes).map((value, n) => {
    if (n === 0) {
      at = unsign(value);
    } else {
      gap += unsign(value);
      at += gap;
    }
    return at * unit;
  });
}
