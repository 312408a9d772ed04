using Platform.Migrator.Execution;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Drops eight indexes that no program asks anything of: each cost every write of its collection. The way down builds them again. An index of one of
/// these names with other keys is somebody else's, and stays.
/// </summary>
[Migration(6, "drop_unasked_indexes", Replaces = new[] { "4cc3e68dc05695002ea627e7288da4576ce0554a69a62f7125c9e2353cc6a4d0" })]
internal sealed class DropUnaskedIndexes : StructureMigration;
