using Platform.Migrator.Engine;
using Xunit;

namespace Platform.Tests.Conformance.Migrator;

public sealed class MigrationCoverageTests
{
    [Fact]
    public void Every_shipped_migration_has_a_class_that_passes_the_contract()
    {
        var tested = typeof(MigrationContract).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(MigrationContract))).Select(type => type.Name).ToList();
        var shipped = MigrationCatalogue.FindIn(typeof(MigrationEngine).Assembly);
        Assert.NotEmpty(shipped);
        Assert.Empty(shipped.Select(migration => migration.Migration.GetType().Name + "Tests").Except(tested));
    }
}
