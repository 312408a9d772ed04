using Platform.Migrator.Execution;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Orders the changes of a stock by the number that each has had since this version, not by the time: the index of the report is
/// made anew for it. Puts the rules in force that amounts have the decimals of their currency.
/// </summary>
[Migration(3, "stock_event_order", Replaces = new[]
{
    "6d8f347c4e774f3065e236298536f6ef5fc85214c86b261ee44a22fe71909be5", "75e5c954a80a6ff47821e8a33665cc3d5751542d3a3b5e7670028a0c196d3dd5",
})]
internal sealed class StockEventOrder : StructureMigration;
