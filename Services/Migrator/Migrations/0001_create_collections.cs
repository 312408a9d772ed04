using Platform.Migrator.Execution;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Creates the collections with the validators and indexes that they had in the first release, which the structure beside it has, written out. The way down
/// drops those that are empty.
/// </summary>
[Migration(1, "create_collections", Replaces = new[]
{
    "90b0ac901fd1fb8e31acf997a67c1bfa94040dca6e7a23f0c8eeab09767b40d0", "4b5f1887ddf068572921994d0cf4251a743ed85e64a4ba26780f0416670d97e0",
})]
internal sealed class CreateCollections : StructureMigration;
