//! What power devices say of themselves: their readings, the orders they take,
//! and the board between the plant's meters and the protocols, where telemetry
//! can be made to fail.

mod bess;
mod board;
mod command;
mod distortion;
mod identity;
mod moved;
mod reading;
mod seen;
mod ups;

pub use bess::{BessMode, BessReading, BessStatus};
pub use board::{Answer, Board, DeviceOrder};
pub use command::{CommandError, DeviceCommand};
pub use distortion::{Distorted, Distortion, Protocol};
pub use identity::Identity;
pub use reading::{
    BbuReading, CoolingReading, CoolingStatus, GeneratorReading, GeneratorStatus, MachineReading,
    OutletReading, PduReading, Reading, ShelfReading, SourceReading, SupplyReading,
    TransferReading, UtilityReading,
};
pub use seen::Seen;
pub use ups::{ReadingStatus, UpsReading};
