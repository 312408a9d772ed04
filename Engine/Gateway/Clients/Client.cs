using System.Net;
using MongoDB.Bson;
using Platform.Gateway.Access;

namespace Platform.Gateway.Clients;

/// <summary>A connected client: what commands, cursors and sessions know of its connection.</summary>
internal abstract class Client(long id, string remoteEndPoint, TimeProvider time)
{
    /// <summary>How many wrong logins a connection may try; then it is closed.</summary>
    public const int MostFailedLogins = 10;

    private long _active = time.GetTimestamp();
    private int _closing;

    /// <summary>The gateway's number of the connection.</summary>
    public long Id => id;

    /// <summary>Where the client is, for logs and <c>whatsmyuri</c>.</summary>
    public string RemoteEndPoint => remoteEndPoint;

    /// <summary>The client's address; loopback when it is none of the network.</summary>
    public IPAddress Address { get; } = IPEndPoint.TryParse(remoteEndPoint, out var endPoint) ? endPoint.Address : IPAddress.Loopback;

    /// <summary>The gateway's end of the connection; null when it is none of the network.</summary>
    public IPEndPoint? LocalEndPoint { get; init; }

    /// <summary>What the audit log calls the connection.</summary>
    public Guid AuditId { get; } = Guid.NewGuid();

    /// <summary>Who is logged in.</summary>
    public User? User
    {
        get;
        set
        {
            field = value;
            Touch();
        }
    }

    /// <summary>A login that is under way.</summary>
    public Login? Login { get; set; }

    /// <summary>Logins that failed on this connection.</summary>
    public int FailedLogins { get; set; }

    /// <summary>What the client said about itself in its first <c>hello</c>.</summary>
    public BsonDocument? Metadata { get; set; }

    /// <summary>The state that the last reply of a stream of <c>hello</c> replies described.</summary>
    public long? LastTopologyVersion { get; set; }

    /// <summary>Open cursors that were opened on this connection.</summary>
    public Quota Cursors { get; } = new();

    /// <summary>Open transactions that were begun on this connection.</summary>
    public Quota Transactions { get; } = new();

    /// <summary>For how long nothing was received or sent; kept only before a login.</summary>
    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref _active));

    /// <summary>Ends the connection at once, whatever it does.</summary>
    public Action? Abort { get; init; }

    /// <summary>Whether it is being ended.</summary>
    public bool IsClosing => Volatile.Read(ref _closing) != 0;

    /// <summary>Why <see cref="Close"/> was called; null when it was not.</summary>
    public string? CloseReason { get; private set; }

    /// <summary>Ends the connection for a reason that the log tells. Returns false when it is being ended already.</summary>
    public bool Close(string reason)
    {
        if (Interlocked.Exchange(ref _closing, 1) != 0)
        {
            return false;
        }

        CloseReason = reason;
        Abort?.Invoke();
        return true;
    }

    /// <summary>Ends the connection when a message that was begun does not arrive within the limit.</summary>
    public abstract void EndIfStalled(TimeSpan limit);

    /// <summary>Something was received or sent.</summary>
    protected void Touch()
    {
        if (User is null)
        {
            Volatile.Write(ref _active, time.GetTimestamp());
        }
    }
}
