using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Tests.TestKit.Servers;

/// <summary>
/// The server's side of PostgreSQL's protocol on a Unix socket, with made-up answers: for tests of what a real server does rarely,
/// and for those that need many answers and no database.
/// </summary>
internal sealed class FakePostgres : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fake-pg-");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly ConcurrentDictionary<Socket, int> _connections = new();
    private readonly Func<FakeCall, byte[]> _answer;
    private int _processes;

    /// <summary>Starts it. What <paramref name="answer"/> returns for each execution is sent as it is; see the makers of messages below.</summary>
    public FakePostgres(Func<FakeCall, byte[]> answer)
    {
        _answer = answer;
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_directory.FullName, ".s.PGSQL.5432")));
        _listener.Listen();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    /// <summary>How to reach it.</summary>
    public string ConnectionString => $"Host={_directory.FullName};Username=tester;Database=postgres";

    /// <summary>Answers are sent in pieces of so many bytes; 0 for in one.</summary>
    public int Piece { get; set; }

    /// <summary>The password it asks for by SCRAM-SHA-256; null for none.</summary>
    public string? Password { get; set; }

    /// <summary>Sent instead of the end of the login.</summary>
    public byte[]? Refusal { get; set; }

    /// <summary>Process numbers and secrets of the cancellations that were asked for.</summary>
    public BlockingCollection<(int Process, int Secret)> Cancellations { get; } = [];

    /// <summary>The first hundred statements that were parsed.</summary>
    public ConcurrentQueue<string> Parsed { get; } = new();

    /// <summary>How many connections it took.</summary>
    public int Connections => Volatile.Read(ref _processes);

    /// <summary>A message.</summary>
    public static byte[] Message(char type, params ReadOnlySpan<byte> body)
    {
        var message = new byte[5 + body.Length];
        message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + body.Length);
        body.CopyTo(message.AsSpan(5));
        return message;
    }

    /// <summary>A row.</summary>
    public static byte[] Row(params ReadOnlySpan<byte[]?> columns)
    {
        List<byte> body = [.. Number16((short)columns.Length)];
        foreach (var column in columns)
        {
            body.AddRange(Number32(column?.Length ?? -1));
            body.AddRange(column ?? []);
        }

        return Message('D', [.. body]);
    }

    /// <summary>The end of a statement.</summary>
    public static byte[] Complete { get; } = Message('C', "SELECT 1\0"u8);

    /// <summary>An error.</summary>
    public static byte[] Error(string state, string text, string severity = "ERROR") =>
        Message('E', Encoding.UTF8.GetBytes($"S{severity}\0V{severity}\0C{state}\0M{text}\0\0"));

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_directory.Exists)
        {
            return;
        }

        _listener.Dispose();
        foreach (var connection in _connections.Keys)
        {
            connection.Dispose();
        }

        Cancellations.Dispose();
        _directory.Delete(recursive: true);
        _directory.Refresh();
    }

    private static byte[] Number16(short value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Number32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var client = _listener.Accept();
                _connections[client] = 0;
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private void Serve(Socket client)
    {
        try
        {
            using var stream = new NetworkStream(client, ownsSocket: true);
            if (Login(stream))
            {
                Answer(stream);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The client went away, or the test is over.
        }
        finally
        {
            _connections.TryRemove(client, out _);
        }
    }

    private bool Login(NetworkStream stream)
    {
        var length = new byte[4];
        stream.ReadExactly(length);
        var body = new byte[BinaryPrimitives.ReadInt32BigEndian(length) - 4];
        stream.ReadExactly(body);
        if (BinaryPrimitives.ReadInt32BigEndian(body) == 80877102)
        {
            Cancellations.Add((BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(4)), BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(8))));
            return false;
        }

        if (Password is { } password)
        {
            Authenticate(stream, password);
        }

        var process = Interlocked.Increment(ref _processes);
        Send(stream, [
            .. Message('R', Number32(0)), .. Message('S', "server_version\018\0"u8), .. Message('K', [.. Number32(process), .. Number32(process * 7)]),
            .. Refusal ?? Message('Z', (byte)'I')]);
        return Refusal is null;
    }

    private void Authenticate(NetworkStream stream, string password)
    {
        Send(stream, Message('R', [.. Number32(10), .. "SCRAM-SHA-256\0\0"u8]));
        var first = Encoding.UTF8.GetString(Read(stream).Body);
        first = first[(first.IndexOf("n,,", StringComparison.Ordinal) + 3)..];
        byte[] salt = [1, 2, 3, 4];
        var challenge = $"r={first[(first.IndexOf("r=", StringComparison.Ordinal) + 2)..]}server,s={Convert.ToBase64String(salt)},i=4096";
        Send(stream, Message('R', [.. Number32(11), .. Encoding.UTF8.GetBytes(challenge)]));
        var answer = Encoding.UTF8.GetString(Read(stream).Body);
        var cut = answer.IndexOf(",p=", StringComparison.Ordinal);
        var message = Encoding.UTF8.GetBytes($"{first},{challenge},{answer[..cut]}");
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, salt, 4096, HashAlgorithmName.SHA256, 32);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var key = Convert.FromBase64String(answer[(cut + 3)..]).Zip(HMACSHA256.HashData(stored, message), (a, b) => (byte)(a ^ b)).ToArray();
        if (!SHA256.HashData(key).SequenceEqual(stored))
        {
            Send(stream, Error("28P01", "password authentication failed", "FATAL"));
            throw new IOException("wrong password");
        }

        var signature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message);
        Send(stream, Message('R', [.. Number32(12), .. Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(signature))]));
    }

    private void Answer(NetworkStream stream)
    {
        var statements = new Dictionary<string, string>(StringComparer.Ordinal);
        var pending = new List<byte>();
        var call = new FakeCall("", [], 0);
        var failed = false;
        var process = Volatile.Read(ref _processes);
        while (true)
        {
            var (type, body) = Read(stream);
            switch (type)
            {
                case 'X':
                    return;
                case 'Q':
                    var answer = _answer(new FakeCall(Text(body, 0), [], process));
                    Send(stream, [.. answer, .. Message('Z', (byte)'I')]);
                    break;
                case 'P' when !failed:
                    var name = Text(body, 0);
                    statements[name] = Text(body, name.Length + 1);
                    if (Parsed.Count < 100)
                    {
                        Parsed.Enqueue(statements[name]);
                    }

                    pending.AddRange(Message('1'));
                    break;
                case 'B' when !failed:
                    call = Bind(body, statements, process);
                    pending.AddRange(Message('2'));
                    break;
                case 'E' when !failed:
                    var rows = _answer(call);
                    failed = rows.Length > 0 && rows[0] == (byte)'E';
                    pending.AddRange(rows);
                    break;
                case 'S':
                    failed = false;
                    pending.AddRange(Message('Z', (byte)'I'));
                    Send(stream, [.. pending]);
                    pending.Clear();
                    break;
            }
        }
    }

    private static FakeCall Bind(byte[] body, Dictionary<string, string> statements, int process)
    {
        var name = Text(body, 1);
        var offset = 1 + name.Length + 1 + 4;
        var parameters = new byte[BinaryPrimitives.ReadInt16BigEndian(body.AsSpan(offset))][];
        offset += 2;
        for (var i = 0; i < parameters.Length; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(offset));
            parameters[i] = body.AsSpan(offset + 4, length).ToArray();
            offset += 4 + length;
        }

        var formats = Convert.ToHexString(body.AsSpan(offset));
        return formats is "00010001" or "0000"
            ? new FakeCall(statements[name], parameters, process)
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"A Bind ends with {formats}."));
    }

    private static string Text(byte[] body, int offset) => Encoding.UTF8.GetString(body.AsSpan(offset, body.AsSpan(offset).IndexOf((byte)0)));

    private static (char Type, byte[] Body) Read(NetworkStream stream)
    {
        var header = new byte[5];
        stream.ReadExactly(header);
        var body = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1)) - 4];
        stream.ReadExactly(body);
        return ((char)header[0], body);
    }

    private void Send(NetworkStream stream, byte[] bytes)
    {
        for (var i = 0; i < bytes.Length; i += Piece == 0 ? bytes.Length : Piece)
        {
            stream.Write(bytes, i, Math.Min(bytes.Length - i, Piece == 0 ? bytes.Length : Piece));
        }
    }
}

/// <summary>A statement that is to be executed.</summary>
/// <param name="Sql">Its text.</param>
/// <param name="Parameters">Its parameters as they came.</param>
/// <param name="Process">The number of the server process.</param>
internal sealed record FakeCall(string Sql, byte[][] Parameters, int Process);
