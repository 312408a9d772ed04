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
    [InlineData("indexes", "Required command was not provided")]
    [InlineData("indexes paln", "Required command was not provided")]
    [InlineData("indexes plan --allow-drop", "--allow-drop")]
    [InlineData("indexes usage --collection prodcuts", "There is no collection 'prodcuts'")]
    [InlineData("indexes advise --unused-for soon", "soon")]
    [InlineData("indexes advise --unused-for -1", "--unused-for must be from 0")]
    [InlineData("indexes apply --no-hide", "they need --allow-drop")]
    [InlineData("indexes apply --hidden-for 3", "they need --allow-drop")]
    public void A_wrong_command_line_is_refused_with_a_sentence_that_names_it(string line, string named) =>
        Assert.Contains(named, MigratorCommands.Create().Parse(line).Errors[0].Message, StringComparison.Ordinal);

    [Fact]
    public void Reports_are_tables_for_people_and_names_in_camel_case_for_programs()
    {
        var report = new PlanReport(
            false, [new PlannedChange(IndexChangeKind.Unknown, "orders", "x_1", "{ \"x\" : 1 }", null, new DateTime(2026, 5, 4, 3, 2, 1, DateTimeKind.Utc), "Hidden.")]);
        using var output = new StringWriter();
        IndexText.Print(output, report);
        Assert.Contains("orders.x_1", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("unknown, hidden since 2026-05-04 03:02", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 index differs from the catalogue.", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("\"kind\": \"unknown\"", IndexText.Json(report), StringComparison.Ordinal);
    }
}
