using Platform.Migrator.Authoring;
using Xunit;

namespace Platform.Tests.Unit.Migrator;

public sealed class MigrationScaffoldTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("scaffold-");

    public MigrationScaffoldTests()
    {
        _root.CreateSubdirectory(MigrationScaffold.Migrations);
        File.WriteAllText(Path.Combine(_root.FullName, "Platform.sln"), "");
    }

    [Fact]
    public void A_new_migration_takes_the_next_number_and_brings_a_test_that_fails()
    {
        File.WriteAllText(Path.Combine(_root.FullName, MigrationScaffold.Migrations, "0007_before.cs"), "");
        var files = MigrationScaffold.Create(_root.FullName, "split_name");
        Assert.Equal(["Services/Migrator/Migrations/0008_split_name.cs", "Tests/Server/Migrator/Migrations/0008_split_name.cs"], files);
        var source = File.ReadAllText(Path.Combine(_root.FullName, files[0]));
        Assert.Contains("[Migration(8, \"split_name\")]", source, StringComparison.Ordinal);
        Assert.Contains("class SplitName : Migration", source, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', source);
        var test = File.ReadAllText(Path.Combine(_root.FullName, files[1]));
        Assert.Contains("Number => 8;", test, StringComparison.Ordinal);
        Assert.Contains("Assert.Fail(", test, StringComparison.Ordinal);
    }

    [Fact]
    public void The_root_is_found_from_below_and_nowhere_else()
    {
        Assert.Equal(_root.FullName, MigrationScaffold.FindRoot(_root.CreateSubdirectory("a/b").FullName));
        Assert.Null(MigrationScaffold.FindRoot(Path.GetTempPath()));
    }

    [Fact]
    public void A_name_that_hides_the_namespace_of_everything_is_refused()
    {
        var root = typeof(MigrationScaffold).Namespace!.Split('.')[0];
        Assert.Contains($"hides {root}", MigrationScaffold.Objection(_root.FullName, root.ToLowerInvariant()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("order_item_count", "0002_order_item_count.cs has a class OrderItemCount")]
    [InlineData("order_itemcount", "0002_order_item_count.cs has a class OrderItemCount")]
    [InlineData("stock_check", "0003_checks.cs has a class StockCheckTests")]
    [InlineData("task", "hides System.Threading.Tasks.Task")]
    [InlineData("bson_document", "hides MongoDB.Bson.BsonDocument")]
    [InlineData("bsondocument", "hides MongoDB.Bson.BsonDocument")]
    [InlineData("migration_context", "hides Platform.Migrator.Execution.MigrationContext")]
    [InlineData("collection_names", "hides Platform.CollectionNames")]
    [InlineData("up_async", "hides UpAsync")]
    [InlineData("split_customer_name", null)]
    public void A_name_whose_class_is_there_already_or_hides_another_is_refused(string name, string? reason)
    {
        File.WriteAllText(
            Path.Combine(_root.FullName, MigrationScaffold.Migrations, "0002_order_item_count.cs"), "internal sealed class OrderItemCount : Migration;");
        File.WriteAllText(Path.Combine(_root.CreateSubdirectory(MigrationScaffold.Tests).FullName, "0003_checks.cs"), "public sealed class StockCheckTests;");
        var objection = MigrationScaffold.Objection(_root.FullName, name);
        if (reason is null)
        {
            Assert.Null(objection);
        }
        else
        {
            Assert.Contains(reason, objection, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_migration_whose_test_cannot_be_written_is_not_left_behind()
    {
        var test = Path.Combine(_root.CreateSubdirectory(MigrationScaffold.Tests).FullName, "0001_split_name.cs");
        File.WriteAllText(test, "kept");
        Assert.Throws<IOException>(() => MigrationScaffold.Create(_root.FullName, "split_name"));
        Assert.Empty(Directory.GetFiles(Path.Combine(_root.FullName, MigrationScaffold.Migrations)));
        Assert.Equal("kept", File.ReadAllText(test));
    }

    [Theory]
    [InlineData("split_name", true)]
    [InlineData("v2_names", true)]
    [InlineData("Split", false)]
    [InlineData("split-name", false)]
    [InlineData("split__name", false)]
    [InlineData("2nd", false)]
    [InlineData("../up", false)]
    [InlineData("", false)]
    [InlineData("event", false)]
    [InlineData("events", true)]
    public void A_name_is_words_with_underscores(string name, bool accepted) => Assert.Equal(accepted, MigrationScaffold.IsName(name));

    public void Dispose() => _root.Delete(recursive: true);
}
