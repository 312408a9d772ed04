using System.Net;
using MongoDB.Driver;
using Platform.Mongo.Connections;

namespace Platform.Migrator.Indexes;

/// <summary>
/// The members of a replica set, each asked by a connection of its own: counters and profiles are kept by every member for the
/// queries that it answered, so that the primary alone does not know what secondaries are read for.
/// </summary>
internal sealed class ReplicaMembers : IDisposable
{
    private readonly List<MongoClient> _clients = [];

    private ReplicaMembers(IReadOnlyList<(string Name, IMongoDatabase Database)> members) => All = members;

    /// <summary>The members; the database itself when it is not one of several.</summary>
    public IReadOnlyList<(string Name, IMongoDatabase Database)> All { get; private set; }

    /// <summary>Finds the members that hold data, as far as the driver knows of them now.</summary>
    /// <param name="database">The database, of a client that is connected.</param>
    public static ReplicaMembers Of(IMongoDatabase database)
    {
        var servers = database.Client.Cluster.Description.Servers.Where(server => server.IsDataBearing).ToList();
        var members = new ReplicaMembers([("primary", database)]);
        if (servers.Count < 2)
        {
            return members;
        }

        var all = new List<(string, IMongoDatabase)>();
        foreach (var server in servers)
        {
            var settings = database.Client.Settings.Clone();
            settings.AskOnly(server.EndPoint switch
            {
                DnsEndPoint dns => new MongoServerAddress(dns.Host, dns.Port),
                IPEndPoint ip => new MongoServerAddress(ip.Address.ToString(), ip.Port),
                var other => throw new NotSupportedException($"A member cannot be reached at {other}."),
            });
            settings.ReadPreference = ReadPreference.SecondaryPreferred;
            var client = new MongoClient(settings);
            members._clients.Add(client);
            all.Add((settings.Server.ToString(), client.GetDatabase(database.DatabaseNamespace.DatabaseName)));
        }

        members.All = all;
        return members;
    }

    /// <inheritdoc/>
    public void Dispose() => _clients.ForEach(client => client.Dispose());
}
