using Platform.Data.Catalogue;
using Platform.Migrator.Authoring;
using Platform.Migrator.Execution;
using Xunit;

namespace Platform.Tests.Unit.Migrator;

public sealed class MigrationLedgerTests
{
    private static readonly MigrationDescriptor s_first = Descriptor(1, "a", "aaa");
    private static readonly MigrationDescriptor s_second = Descriptor(2, "b", "bbb");

    private static string Root => MigrationScaffold.FindRoot(AppContext.BaseDirectory)
        ?? throw new DirectoryNotFoundException("The repository's root was not found above the test program.");

    [Fact]
    public void What_is_shipped_is_what_is_recorded()
    {
        var ledger = MigrationLedger.Parse(File.ReadAllText(Path.Combine(Root, MigrationScaffold.Migrations, "checksums.txt")));
        var migrations = MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly);
        IReadOnlyList<string> problems = [.. ledger.Compare(migrations, CollectionCatalogue.Checksum()), .. PinnedStructure.Problems(migrations)];
        Assert.True(problems.Count == 0, string.Join(Environment.NewLine, problems));
    }

    [Fact]
    public void Every_shipped_migration_has_a_test()
    {
        var shipped = MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly);
        Assert.NotEmpty(shipped);
        Assert.All(shipped, migration =>
        {
            var file = Path.Combine(Root, MigrationScaffold.Tests, migration.FullName + ".cs");
            Assert.True(File.Exists(file), $"The migration {migration.FullName} has no test {MigrationScaffold.Tests}/{migration.FullName}.cs.");
            var source = File.ReadAllText(file);
            Assert.Contains(": MigrationContract(", source, StringComparison.Ordinal);
            Assert.Contains($"Number => {migration.Id};", source, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void What_was_rendered_is_right_when_read_again()
    {
        var ledger = MigrationLedger.Parse(MigrationLedger.Parse("").Render([s_first, s_second], "ccc"));
        Assert.Empty(ledger.Compare([s_first, s_second], "ccc"));
    }

    [Fact]
    public void An_edited_migration_is_found_and_cannot_be_recorded()
    {
        var ledger = Recorded("ccc", s_first, s_second);
        var edited = s_first with { Checksum = "other" };
        Assert.Contains("0001_a was changed", Assert.Single(ledger.Compare([edited, s_second], "ccc")), StringComparison.Ordinal);
        Assert.Single(ledger.Objections([edited, s_second], "ccc", unreleased: false));
        Assert.Single(ledger.Objections([edited, s_second], "ccc", unreleased: true));
    }

    [Fact]
    public void A_source_that_replaces_one_that_did_the_same_is_recorded_once()
    {
        var ledger = Recorded("ccc", s_first, s_second);
        var anew = s_first with { Checksum = "new", Replaces = [s_first.Checksum] };
        Assert.Contains("run './platform migrator fingerprint' to record it", Assert.Single(ledger.Compare([anew, s_second], "ccc")), StringComparison.Ordinal);
        Assert.Empty(ledger.Objections([anew, s_second], "ccc", unreleased: false));

        ledger = MigrationLedger.Parse(ledger.Render([anew, s_second], "ccc"));
        Assert.Empty(ledger.Compare([anew, s_second], "ccc"));
        var edited = anew with { Checksum = "edited" };
        Assert.Contains("0001_a was changed", Assert.Single(ledger.Compare([edited, s_second], "ccc")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_latest_migration_may_be_edited_while_it_is_not_released()
    {
        var ledger = Recorded("ccc", s_first, s_second);
        var edited = s_second with { Checksum = "other" };
        Assert.Single(ledger.Objections([s_first, edited], "ccc", unreleased: false));
        Assert.Empty(ledger.Objections([s_first, edited], "ccc", unreleased: true));
    }

    [Fact]
    public void A_structure_that_was_recorded_stays()
    {
        var pinned = s_first with { StructureChecksum = "one" };
        var ledger = Recorded("ccc", pinned, s_second);
        Assert.Empty(ledger.Compare([pinned, s_second], "ccc"));
        foreach (var edited in new[] { pinned with { StructureChecksum = "other" }, s_first })
        {
            Assert.Contains("restore Migrations/0001_a.structure.json", Assert.Single(ledger.Compare([edited, s_second], "ccc")), StringComparison.Ordinal);
            Assert.Single(ledger.Objections([edited, s_second], "ccc", unreleased: false));
            Assert.Single(ledger.Objections([edited, s_second], "ccc", unreleased: true));
        }

        // That of the latest is the catalogue's, about which there is a sentence of its own.
        Assert.Empty(Recorded("ccc", pinned).Objections([pinned with { StructureChecksum = "other" }], "ddd", unreleased: true));
    }

    [Fact]
    public void The_latest_migration_pins_the_catalogue_when_that_changed()
    {
        var catalogue = CatalogueSnapshot.Write(CollectionCatalogue.All);
        var other = CatalogueSnapshot.Write(CollectionCatalogue.Domain);
        var first = s_first with { Structure = CatalogueSnapshot.Read(other), StructureChecksum = MigrationCatalogue.Checksum(other) };

        var changed = PinnedStructure.Of([first, s_second], catalogue);
        Assert.Equal((catalogue, MigrationCatalogue.Checksum(catalogue)), (changed.Text, changed.Migrations[^1].StructureChecksum));
        Assert.Contains("is not that of the catalogue", Assert.Single(PinnedStructure.Problems([first, s_second])), StringComparison.Ordinal);
        Assert.Empty(PinnedStructure.Problems(changed.Migrations));

        var same = PinnedStructure.Of([first, changed.Migrations[^1]], other);
        Assert.Equal((null, null, null), (same.Text, same.Migrations[^1].Structure, same.Migrations[^1].StructureChecksum));
    }

    [Fact]
    public void A_catalogue_change_needs_a_migration()
    {
        var ledger = Recorded("ccc", s_first);
        Assert.Contains("without a migration", Assert.Single(ledger.Compare([s_first], "ddd")), StringComparison.Ordinal);
        Assert.Single(ledger.Objections([s_first], "ddd", unreleased: false));
        Assert.Empty(ledger.Objections([s_first], "ddd", unreleased: true));
        Assert.Empty(ledger.Objections([s_first, s_second], "ddd", unreleased: false));

        // The migration serves for this change of the catalogue, not for the next one.
        var next = MigrationLedger.Parse(ledger.Render([s_first, s_second], "ddd"));
        Assert.Single(next.Objections([s_first, s_second], "eee", unreleased: false));
    }

    [Fact]
    public void A_migration_that_is_gone_is_missed() =>
        Assert.Contains("0002_b is gone", Assert.Single(Recorded("ccc", s_first, s_second).Compare([s_first], "ccc")), StringComparison.Ordinal);

    [Fact]
    public void A_migration_that_is_gone_cannot_be_recorded_unless_it_is_the_latest_and_not_released()
    {
        var ledger = Recorded("ccc", s_first, s_second);
        Assert.Contains("add --unreleased", Assert.Single(ledger.Objections([s_first], "ccc", unreleased: false)), StringComparison.Ordinal);
        Assert.Empty(ledger.Objections([s_first], "ccc", unreleased: true));

        // Under another name it is gone too, whatever takes its number.
        var renamed = s_second with { Name = "z" };
        Assert.Contains("0002_b is gone", Assert.Single(ledger.Objections([s_first, renamed], "ccc", unreleased: false)), StringComparison.Ordinal);
        Assert.Contains(
            "0001_a is gone", Assert.Single(ledger.Objections([s_first with { Name = "z" }, s_second], "ccc", unreleased: true)), StringComparison.Ordinal);
        Assert.Equal(2, ledger.Objections([s_first, renamed], "ddd", unreleased: false).Count);
        // With the latest one gone, the one before is still a released one.
        Assert.Contains(
            "0001_a was changed", Assert.Single(ledger.Objections([s_first with { Checksum = "other" }], "ccc", unreleased: true)), StringComparison.Ordinal);
        Assert.Single(ledger.Objections([], "ccc", unreleased: true));
    }

    [Fact]
    public void What_is_recorded_without_an_unreleased_migration_is_right_when_read_again()
    {
        var ledger = MigrationLedger.Parse(Recorded("ccc", s_first, s_second).Render([s_first], "ccc"));
        Assert.Empty(ledger.Compare([s_first], "ccc"));
        Assert.Empty(ledger.Objections([s_first, Descriptor(2, "a", "aaa")], "ddd", unreleased: false));
    }

    [Theory]
    [InlineData("one two three")]
    [InlineData("<<<<<<< HEAD")]
    [InlineData("=======")]
    [InlineData("0001_a aaa\n0001_a bbb")]
    [InlineData("catalogue ccc 0001_a\ncatalogue ddd 0001_a")]
    public void A_file_of_another_form_is_refused(string text) => Assert.Throws<FormatException>(() => MigrationLedger.Parse(text));

    private static MigrationLedger Recorded(string catalogue, params MigrationDescriptor[] migrations) =>
        MigrationLedger.Parse(MigrationLedger.Parse("").Render(migrations, catalogue));

    private static MigrationDescriptor Descriptor(int id, string name, string checksum) => new(id, name, checksum, new Nothing());

    private sealed class Nothing : Migration
    {
        public override bool CanBeRepeated => true;

        public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
