using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Encryption;
using Platform.Migrator.Structure;

namespace Platform.Migrator.Execution;

/// <summary>What migrations work on.</summary>
/// <param name="database">The database.</param>
/// <param name="catalogue">Creates what the catalogue declares.</param>
public sealed class MigrationEnvironment(IMongoDatabase database, CatalogueSynchroniser catalogue)
{
    private bool? _hasTransactions;

    /// <summary>The database.</summary>
    public IMongoDatabase Database { get; } = database;

    /// <summary>Creates what the catalogue declares.</summary>
    public CatalogueSynchroniser Catalogue { get; } = catalogue;

    /// <summary>Whether what is written is thrown away; what is read is the database as it stands. Default: false.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Whether an index that differs from what a version declares may be dropped and created again. Default: false.</summary>
    public bool AllowsDrop { get; private set; }

    /// <summary>Whether the way back may lose data. Default: false.</summary>
    public bool AllowsLoss { get; private set; }

    /// <summary>How many documents a second a transform may rewrite when it says nothing itself; null for as many as it can. Default: null.</summary>
    public double? MaxDocumentsPerSecond { get; init; }

    /// <summary>How many documents a batch of a transform has, whatever the transform says; null for what it says. Default: null.</summary>
    public int? BatchSize { get; init; }

    /// <summary>The clock of throttles and progress.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What personal data is encrypted with; null: it is stored plain. Default: null.</summary>
    public FieldEncryption? Encryption { get; init; }

    /// <summary>Where migrations log.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The same with what the caller of a run allows.</summary>
    /// <param name="drop">Whether an index that differs may be dropped and created again.</param>
    /// <param name="loss">Whether the way back may lose data.</param>
    public MigrationEnvironment Allowing(bool drop = false, bool loss = false)
    {
        var copy = (MigrationEnvironment)MemberwiseClone();
        (copy.AllowsDrop, copy.AllowsLoss) = (drop, loss);
        return copy;
    }

    /// <summary>Whether the server has transactions: a member of a replica set, or a router.</summary>
    /// <param name="cancellationToken">Cancels the question.</param>
    public async Task<bool> HasTransactionsAsync(CancellationToken cancellationToken)
    {
        if (_hasTransactions is null)
        {
            var hello = await Database.RunCommandAsync<BsonDocument>(new BsonDocument("hello", 1), ReadPreference.Primary, cancellationToken);
            _hasTransactions = hello.Contains("setName") || hello.GetValue("msg", "") == "isdbgrid";
        }

        return _hasTransactions.Value;
    }
}
