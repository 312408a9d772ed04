using Platform.Migrator.Execution;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Gives the outbox its index, and puts the tenant in front of the places of stores on servers that can have it there. The index of places alone goes
/// where it is not needed any more; the programs of before find stores by the new one, too. The text index of products goes: what searched by it is gone.
/// </summary>
[Migration(5, "places_and_outbox", Replaces = new[] { "04205ab4d4d25511e1e2b2d3ee1512ef6f6db866abb393b443abff48015c0600" })]
internal sealed class PlacesAndOutbox : StructureMigration;
