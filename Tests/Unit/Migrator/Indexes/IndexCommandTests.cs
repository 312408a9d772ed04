using Platform.Jobs;
using Platform.Migrator;
using Platform.Migrator.Indexes;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Indexes;

public sealed class IndexCommandTests
{
    [Theory]
    [InlineData("indexes plan --json")]
    [InlineData("indexes status")]
    [InlineData("indexes usage --collection products")]
    [InlineData("indexes advise --unused-for 30 --fail")]
    [InlineData("indexes apply --allow-drop --hidden-for 0")]
    [InlineData("indexes maintain --rebuild products.tenant_text orders --restore products.old --json")]
    public void A_right_command_line_is_taken(string line) => Assert.Empty(MigratorCommands.Create().Parse(line).Errors);

    [Theory]
    [InlineData("indexes", "'migrator indexes' needs a command: plan, apply, status, usage, advise and maintain.")]
    [InlineData("indexes paln", "There is no command 'paln'; the commands of 'migrator indexes' are plan, apply, status, usage, advise and maintain. Did you "
        + "mean 'plan'?")]
    [InlineData("indexes plan --allow-drop", "--allow-drop")]
    [InlineData("indexes usage --collection prodcuts", "There is no collection 'prodcuts'")]
    [InlineData("indexes advise --unused-for soon", "--unused-for must be a whole number between 0 and 10000, not 'soon'.")]
    [InlineData("indexes advise --unused-for -1", "--unused-for must be a whole number between 0 and 10000, not '-1'.")]
    [InlineData("indexes apply --no-hide", "they need --allow-drop")]
    [InlineData("indexes apply --hidden-for 3", "they need --allow-drop")]
    public void A_wrong_command_line_is_refused_with_a_sentence_that_names_it(string line, string named) =>
        Assert.Contains(named, JobCommandLine.Mistake(MigratorCommands.Create().Parse(line)), StringComparison.Ordinal);

    [Fact]
    public void Reports_are_lines_for_people_and_names_in_camel_case_for_programs()
    {
        var report = new PlanReport(
            false, [new PlannedChange(
                IndexChangeKind.Unknown, "orders", "x_1", "{ \"x\" : 1 }", null, new DateTime(2026, 5, 4, 3, 2, 1, DateTimeKind.Utc), "Hidden.")], []);
        using var output = new StringWriter();
        IndexText.Print(output, report);
        Assert.StartsWith("unknown, hidden since 2026-05-04 03:02: orders.x_1 { \"x\" : 1 }", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 index differs from the catalogue.", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("\"kind\": \"unknown\"", JobReport.Json(report), StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_of_all_collections_fits_80_columns()
    {
        var report = new IndexStatusReport(
            false, [new CollectionIndexStatus("inventoryEvents", "time series", 1_000_000, 12, 11, 1, 1, 1, 1, 1024L * 1024 * 1024 * 100)], []);
        using var output = new StringWriter();
        IndexText.Print(output, report);
        Assert.All(output.ToString().Split(Environment.NewLine), line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains("11 of 12", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_to_be_done_is_said_below_the_table()
    {
        var report = new MaintenanceReport(
            true,
            [
                new MaintenanceRow("orders", "tenant_number", 2, 3, 4, MaintenanceCandidate.Keep, "An order by its number."),
                new MaintenanceRow("orders", "x_1", 2, 3, null, MaintenanceCandidate.Hide, "not declared"),
            ],
            [],
            []);
        using var output = new StringWriter();
        IndexText.Print(output, report);
        Assert.Contains($"hide: orders.x_1{Environment.NewLine}  not declared", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("An order by its number", output.ToString(), StringComparison.Ordinal);
    }
}
