mod stream;
mod tcp;
