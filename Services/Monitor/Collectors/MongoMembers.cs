using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;

namespace Platform.Monitor.Collectors;

/// <summary>The members of the replica set, each asked by a connection of its own, since each answers for itself.</summary>
/// <param name="connectionString">The set's connection string.</param>
/// <param name="patience">How long a member has to answer.</param>
/// <param name="passwordFile">The passwords of the connection string's user; null: the connection string has it.</param>
internal sealed class MongoMembers(string connectionString, TimeSpan patience, string? passwordFile = null) : IDisposable
{
    /// <summary>As whom the monitor's clients are seen by servers, and in their profiles.</summary>
    public const string ApplicationName = "platform-monitor";

    private readonly Dictionary<string, MongoClient> _clients = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>How long a member has to answer.</summary>
    public TimeSpan Patience => patience;

    /// <summary>The members that are known: those of the connection string, until one of them has named all.</summary>
    public IReadOnlyCollection<string> Known
    {
        get
        {
            lock (_lock)
            {
                return _known.Count > 0 ? _known : [.. MongoUrl.Create(connectionString).Servers.Select(server => server.ToString())];
            }
        }
    }

    /// <summary>Takes the members that one of them has named.</summary>
    public void Learn(IEnumerable<string> members)
    {
        lock (_lock)
        {
            _known = members.ToHashSet(StringComparer.Ordinal);
            foreach (var (gone, client) in _clients.Where(client => !_known.Contains(client.Key)).ToList())
            {
                client.Dispose();
                _clients.Remove(gone);
            }
        }
    }

    /// <summary>The database of a member.</summary>
    /// <param name="member">Its address, as <c>host:port</c>.</param>
    /// <param name="database">The database's name.</param>
    public IMongoDatabase Of(string member, string database)
    {
        lock (_lock)
        {
            if (!_clients.TryGetValue(member, out var client))
            {
                var settings = MongoTls.SettingsOf(connectionString);
                settings.LogInBy(passwordFile);
                settings.AskOnly(MongoServerAddress.Parse(member));
                (settings.ApplicationName, settings.ReadPreference) = (ApplicationName, ReadPreference.SecondaryPreferred);
                (settings.ServerSelectionTimeout, settings.ConnectTimeout) = (patience, patience);
                (settings.MaxConnectionPoolSize, settings.RetryReads) = (2, false);
                _clients[member] = client = new(settings);
            }

            return client.GetDatabase(database);
        }
    }

    /// <summary>Asks a member; null when it does not answer. A login or a command that is refused is an exception: the member is well.</summary>
    public async Task<BsonDocument?> AskAsync(string member, BsonDocument command, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(patience);
        try
        {
            return await Of(member, "admin").RunCommandAsync<BsonDocument>(command, ReadPreference.SecondaryPreferred, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception exception) when (exception is MongoConnectionException and not MongoAuthenticationException or MongoNodeIsRecoveringException
            || (exception is TimeoutException && !IsRefused(exception)))
        {
            return null;
        }
    }

    // The driver waits for a server to be chosen also while every login is refused, and says so in the end.
    private static bool IsRefused(Exception exception) => exception.Message.Contains(nameof(MongoAuthenticationException), StringComparison.Ordinal);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }
    }
}
