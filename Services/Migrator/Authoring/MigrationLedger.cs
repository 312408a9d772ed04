using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Authoring;

/// <summary>
/// The committed file <c>Migrations/checksums.txt</c>: the checksum of every migration's source, and of the catalogue as of the latest
/// migration. A test compares it with the program, so that nobody edits a migration that was applied somewhere, or changes the
/// catalogue without a migration, unnoticed.
/// </summary>
internal sealed partial class MigrationLedger
{
    private const string CatalogueEntry = "catalogue";

    private const string Header =
        """
        # Written by './platform migrator fingerprint'; docs/migrations.md says when.
        # One line per migration: its name, the SHA-256 of its source and of the structure that it pins; last the catalogue's, and the latest migration then.

        """;

    private readonly Dictionary<string, string> _checksums;
    private readonly Dictionary<string, string> _structures;
    private readonly string? _catalogue;
    private readonly string? _catalogueMigration;

    private MigrationLedger(Dictionary<string, string> checksums, Dictionary<string, string> structures, string? catalogue, string? catalogueMigration)
    {
        _checksums = checksums;
        _structures = structures;
        _catalogue = catalogue;
        _catalogueMigration = catalogueMigration;
    }

    /// <summary>Reads the file's text.</summary>
    /// <exception cref="FormatException">A line is not of the file's form, or there are two for the same: most often, two branches were not merged to their
    /// end.</exception>
    public static MigrationLedger Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var checksums = new Dictionary<string, string>(StringComparer.Ordinal);
        var structures = new Dictionary<string, string>(StringComparer.Ordinal);
        string? catalogue = null;
        string? migration = null;
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#'))
        {
            var isFirst = false;
            switch (line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                case [CatalogueEntry, var checksum, var latest] when IsName(latest):
                    isFirst = catalogue is null;
                    (catalogue, migration) = (checksum, latest);
                    break;
                case [var name, var checksum, .. var structure] when IsName(name) && structure.Length < 2:
                    isFirst = checksums.TryAdd(name, checksum);
                    if (structure is [var pinned])
                    {
                        structures.TryAdd(name, pinned);
                    }

                    break;
                default:
                    throw new FormatException($"The line '{line}' of checksums.txt is neither a migration's nor the catalogue's.");
            }

            if (!isFirst)
            {
                throw new FormatException($"The line '{line}' of checksums.txt is the second one for the same.");
            }
        }

        return new MigrationLedger(checksums, structures, catalogue, migration);
    }

    /// <summary>What of the program is not as the file has it, one sentence each; empty when the file is right.</summary>
    /// <param name="migrations">The program's migrations, in order.</param>
    /// <param name="catalogue">The checksum of the program's catalogue.</param>
    public IReadOnlyList<string> Compare(IReadOnlyList<MigrationDescriptor> migrations, string catalogue) =>
    [
        .. migrations.Where(IsReplaced).Select(migration =>
            $"Migration {migration.FullName} has another source that does the same as the recorded one; run './platform migrator fingerprint' to record it."),
        .. migrations.Where(IsChanged).Select(migration =>
            $"Migration {migration.FullName} was changed after its checksum was recorded: restore its source and put the change into a new migration"
            + $"{(migration == migrations[^1] ? ", or, if no database that matters has it, run './platform migrator fingerprint --unreleased'" : "")}."),
        .. migrations.Where(IsRestructured).Select(migration =>
            $"The structure of migration {migration.FullName} is not the recorded one: restore {StructureOf(migration)}"
            + $"{(migration == migrations[^1] ? ", or, if no database that matters has it, run './platform migrator fingerprint --unreleased'" : "")}."),
        .. Gone(migrations).Select(name => $"Migration {name} is gone; restore its source, or no database that has it can be migrated."),
        .. migrations.Where(migration => !_checksums.ContainsKey(migration.FullName)).Select(migration =>
            $"Migration {migration.FullName} has no recorded checksum yet; run './platform migrator fingerprint' when it is finished."),
        .. _catalogue == catalogue ? [] : new[]
        {
            HasNewer(migrations)
                ? "The catalogue changed; run './platform migrator fingerprint' to record it with the new migration."
                : "The catalogue changed without a migration; write one with './platform migrator new' and run './platform migrator fingerprint', "
                    + "or, if no database that matters has the latest migration, run './platform migrator fingerprint --unreleased'.",
        },
    ];

    /// <summary>What stands in the way of recording the program as it is, one sentence each.</summary>
    /// <param name="migrations">The program's migrations, in order.</param>
    /// <param name="catalogue">The checksum of the program's catalogue.</param>
    /// <param name="unreleased">Whether no database that matters has the latest migration, so that it and the catalogue may be changed, and it may go or get
    /// another name.</param>
    public IReadOnlyList<string> Objections(IReadOnlyList<MigrationDescriptor> migrations, string catalogue, bool unreleased)
    {
        if (migrations.Count == 0)
        {
            return ["There is no migration, so there is nothing to record."];
        }

        var latest = _checksums.Keys.Max(StringComparer.Ordinal);
        return
        [
            .. migrations.Where(migration => IsChanged(migration) && !(unreleased && migration == migrations[^1] && migration.FullName == latest))
                .Select(migration =>
                $"Migration {migration.FullName} was changed after its checksum was recorded; restore its source and put the change into a new migration."),
            // That of the latest is the catalogue's.
            .. migrations.SkipLast(1).Where(IsRestructured).Select(migration =>
                $"The structure of migration {migration.FullName} is not the recorded one; restore {StructureOf(migration)} and put the change into a new "
                    + "migration."),
            .. Gone(migrations).Where(name => !(unreleased && name == latest)).Select(name =>
                $"Migration {name} is gone; restore its source, or no database that has it can be migrated."
                + $"{(name == latest ? " If no database that matters has it, add --unreleased." : "")}"),
            .. _catalogue is null || _catalogue == catalogue || unreleased || HasNewer(migrations) ? [] : new[]
            {
                "The catalogue changed without a migration; write one with './platform migrator new'. If no database that matters has the latest migration, "
                    + "add --unreleased.",
            },
        ];
    }

    /// <summary>The file's text for a program.</summary>
    /// <param name="migrations">The program's migrations, in order.</param>
    /// <param name="catalogue">The checksum of the program's catalogue.</param>
    public string Render(IReadOnlyList<MigrationDescriptor> migrations, string catalogue)
    {
        ArgumentNullException.ThrowIfNull(migrations);
        var text = new StringBuilder(Header.ReplaceLineEndings("\n"));
        foreach (var migration in migrations)
        {
            text.Append(migration.FullName).Append(' ').Append(migration.Checksum);
            if (migration.StructureChecksum is { } structure)
            {
                text.Append(' ').Append(structure);
            }

            text.Append('\n');
        }

        // The migration that the catalogue came with may be gone, when it was not released.
        var since = _catalogue == catalogue && migrations.Any(migration => migration.FullName == _catalogueMigration)
            ? _catalogueMigration
            : migrations[^1].FullName;
        return text.Append(CatalogueEntry).Append(' ').Append(catalogue).Append(' ').Append(since).Append('\n').ToString();
    }

    private bool IsChanged(MigrationDescriptor migration) =>
        _checksums.TryGetValue(migration.FullName, out var checksum) && !migration.Was(checksum);

    private bool IsReplaced(MigrationDescriptor migration) =>
        _checksums.TryGetValue(migration.FullName, out var checksum) && checksum != migration.Checksum && migration.Was(checksum);

    // One that is recorded without a structure may still get its own.
    private bool IsRestructured(MigrationDescriptor migration) => _checksums.ContainsKey(migration.FullName)
        && _structures.TryGetValue(migration.FullName, out var structure) && structure != migration.StructureChecksum;

    private static string StructureOf(MigrationDescriptor migration) => $"Migrations/{migration.FullName}{MigrationCatalogue.StructureSuffix}";

    private IEnumerable<string> Gone(IReadOnlyList<MigrationDescriptor> migrations) =>
        _checksums.Keys.Except(migrations.Select(migration => migration.FullName), StringComparer.Ordinal).Order(StringComparer.Ordinal);

    // By its number: one that only got another name is no newer one.
    private bool HasNewer(IReadOnlyList<MigrationDescriptor> migrations) =>
        migrations.Count > 0 && (_catalogueMigration is null || migrations[^1].Id > int.Parse(_catalogueMigration.AsSpan(0, 4), CultureInfo.InvariantCulture));

    private static bool IsName(string word) => NamePattern().IsMatch(word);

    [GeneratedRegex("^[0-9]{4}_[a-z0-9_]+$")]
    private static partial Regex NamePattern();
}
