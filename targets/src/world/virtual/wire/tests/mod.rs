mod datagram;
mod stream;
mod tcp;
