namespace Platform.Api.Migrations;

/// <summary>The history that the migrator keeps in the database.</summary>
public interface IRecordedMigrations
{
    /// <summary>Reads what was recorded of each migration.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<IReadOnlyList<RecordedMigration>> ReadAsync(CancellationToken cancellationToken);
}
