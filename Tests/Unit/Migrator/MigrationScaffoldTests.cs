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
        Assert.Equal(["Services/Migrator/Migrations/0008_split_name.cs", "Tests/Conformance/Migrator/Migrations/0008_split_name.cs"], files);
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

    [Theory]
    [InlineData("split_name", true)]
    [InlineData("v2_names", true)]
    [InlineData("Split", false)]
    [InlineData("split-name", false)]
    [InlineData("split__name", false)]
    [InlineData("2nd", false)]
    [InlineData("../up", false)]
    [InlineData("", false)]
    public void A_name_is_words_with_underscores(string name, bool accepted) => Assert.Equal(accepted, MigrationScaffold.IsName(name));

    public void Dispose() => _root.Delete(recursive: true);
}
