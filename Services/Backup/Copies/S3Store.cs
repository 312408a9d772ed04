using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Util;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Options;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;

namespace Platform.Backup.Copies;

/// <summary>A bucket of S3, or of a server that speaks it.</summary>
/// <remarks>
/// Requests are those that all of them understand: no checksums in trailers and no signed chunks, which some store as if they were of the object; what is sent
/// goes with its MD5, which the server compares, and which a bucket with object lock asks for.
/// </remarks>
internal sealed class S3Store : ICopyStore, IDisposable
{
    private const string HashKey = "x-amz-meta-sha256";
    private const long Mebibyte = 1 << 20;
    private const int MostParts = 10_000;
    private static readonly TimeSpan s_connectPatience = TimeSpan.FromSeconds(10);

    // Of a request with one part of an object.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    // Of the next bytes of an object that is being read.
    private static readonly TimeSpan s_readPatience = TimeSpan.FromMinutes(1);

    private readonly S3Options _options;
    private readonly TimeProvider _time;
    private readonly Lazy<AmazonS3Client> _client;

    /// <summary>Connects to nothing yet.</summary>
    public S3Store(IOptions<BackupOptions> options, TimeProvider time)
    {
        _options = options.Value.S3;
        _time = time;
        // A file of the settings that could not be read is read again the next time.
        _client = new Lazy<AmazonS3Client>(Connect, LazyThreadSafetyMode.PublicationOnly);
    }

    /// <inheritdoc />
    public string Place => _options.Place;

    private string Before => _options.Prefix.Length == 0 ? "" : _options.Prefix + "/";

    /// <inheritdoc />
    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? next = null;
        do
        {
            var page = await DoAsync(
                "list it",
                () => _client.Value.ListObjectsV2Async(
                    new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = Before, ContinuationToken = next }, cancellationToken));
            foreach (var found in page.S3Objects ?? [])
            {
                yield return new StoredObject(found.Key[Before.Length..], found.Size ?? 0, Plain(found.ETag));
            }

            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
    }

    /// <inheritdoc />
    public async Task<string?> RecordedHashAsync(string path, CancellationToken cancellationToken)
    {
        var found = await FindAsync(
            $"ask for {path}",
            () => _client.Value.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _options.Bucket, Key = Before + path }, cancellationToken));
        return found?.Metadata[HashKey];
    }

    /// <inheritdoc />
    public async Task<string> PutAsync(string path, ObjectHash hash, Stream content, CancellationToken cancellationToken)
    {
        if (hash.Length > _options.PartMebibytes * Mebibyte)
        {
            return await PutInPartsAsync(path, hash, content, cancellationToken);
        }

        var sum = await SumAsync(content, hash.Length, cancellationToken);
        var put = new PutObjectRequest
        {
            BucketName = _options.Bucket, Key = Before + path, InputStream = content, AutoCloseStream = false, AutoResetStreamPosition = false,
            UseChunkEncoding = false, MD5Digest = sum, ContentType = "application/octet-stream",
        };
        put.Metadata[HashKey] = hash.Hash;
        if (Lock is { } mode)
        {
            (put.ObjectLockMode, put.ObjectLockRetainUntilDate) = (mode, LockedUntil);
        }

        return Plain((await DoAsync($"take {path}", () => _client.Value.PutObjectAsync(put, cancellationToken))).ETag);
    }

    /// <inheritdoc />
    public async Task<OpenObject?> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var found = await FindAsync(
            $"give {path}",
            () => _client.Value.GetObjectAsync(new GetObjectRequest { BucketName = _options.Bucket, Key = Before + path }, cancellationToken));
        // The stream below: the client would compare what it reads with the tag, and end it with a failure where the caller is to say what was changed.
        return found is null ? null
            : new OpenObject(
                new PatientStream(
                    (found.ResponseStream as WrapperStream)?.GetNonWrapperBaseStream() ?? found.ResponseStream, s_readPatience, _time,
                    e => Failure($"give all of {path}", e)),
                found.Metadata[HashKey],
                found);
    }

    /// <inheritdoc />
    public Task DeleteAsync(string path, CancellationToken cancellationToken) => DoAsync(
        $"remove {path}",
        () => _client.Value.DeleteObjectAsync(new DeleteObjectRequest { BucketName = _options.Bucket, Key = Before + path }, cancellationToken));

    /// <inheritdoc />
    public async Task RemovePartsAsync(CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = _options.Bucket, Prefix = Before };
        ListMultipartUploadsResponse page;
        do
        {
            try
            {
                page = await _client.Value.ListMultipartUploadsAsync(request, cancellationToken);
            }
            catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.NotImplemented || e.ErrorCode == "NotImplemented")
            {
                // A server that cannot tell; it has to remove them by itself.
                return;
            }
            catch (Exception e) when (IsOfStore(e))
            {
                throw Failure("tell of unfinished objects", e);
            }

            // Others may have theirs under the same prefix.
            foreach (var upload in (page.MultipartUploads ?? []).Where(upload => IsOfCopy(upload.Key[Before.Length..])))
            {
                await AbortAsync(upload.Key, upload.UploadId, cancellationToken);
            }

            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
        while (page.IsTruncated == true);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_client.IsValueCreated)
        {
            _client.Value.Dispose();
        }
    }

    private ObjectLockMode? Lock => _options.LockMode switch
    {
        "governance" => ObjectLockMode.Governance,
        "compliance" => ObjectLockMode.Compliance,
        _ => null,
    };

    private DateTime LockedUntil => _time.GetUtcNow().UtcDateTime.AddDays(_options.LockDays);

    private static bool IsOfCopy(string path) => RepositoryPath.IsOfRepository(path) || CopyNames.IsOurs(path);

    private async Task<string> PutInPartsAsync(string path, ObjectHash hash, Stream content, CancellationToken cancellationToken)
    {
        var key = Before + path;
        var begin = new InitiateMultipartUploadRequest { BucketName = _options.Bucket, Key = key, ContentType = "application/octet-stream" };
        begin.Metadata[HashKey] = hash.Hash;
        if (Lock is { } mode)
        {
            (begin.ObjectLockMode, begin.ObjectLockRetainUntilDate) = (mode, LockedUntil);
        }

        var upload = (await DoAsync($"take {path}", () => _client.Value.InitiateMultipartUploadAsync(begin, cancellationToken))).UploadId;
        try
        {
            var size = Math.Max(_options.PartMebibytes * Mebibyte, (hash.Length + MostParts - 1) / MostParts);
            var parts = new List<PartETag>();
            for (long at = 0; at < hash.Length; at += size)
            {
                content.Position = at;
                var length = Math.Min(size, hash.Length - at);
                var part = new UploadPartRequest
                {
                    BucketName = _options.Bucket, Key = key, UploadId = upload, PartNumber = parts.Count + 1, PartSize = length, InputStream = content,
                    UseChunkEncoding = false, MD5Digest = await SumAsync(content, length, cancellationToken), IsLastPart = at + length == hash.Length,
                };
                var sent = await DoAsync($"take a part of {path}", () => _client.Value.UploadPartAsync(part, cancellationToken));
                parts.Add(new PartETag(part.PartNumber.Value, sent.ETag));
            }

            var whole = new CompleteMultipartUploadRequest { BucketName = _options.Bucket, Key = key, UploadId = upload, PartETags = parts };
            return Plain((await DoAsync($"complete {path}", () => _client.Value.CompleteMultipartUploadAsync(whole, cancellationToken))).ETag);
        }
        catch
        {
            await TryAbortAsync(key, upload);
            throw;
        }
    }

    // Of what was not sent to its end nothing is to be left; what cannot be removed now is when the agent begins again.
    private async Task TryAbortAsync(string key, string upload)
    {
        using var patience = new CancellationTokenSource(s_connectPatience, _time);
        try
        {
            await AbortAsync(key, upload, patience.Token);
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            // Why it was not sent is what counts.
        }
    }

    private Task<AbortMultipartUploadResponse?> AbortAsync(string key, string upload, CancellationToken cancellationToken) => FindAsync(
        $"forget a part of {key}",
        () => _client.Value.AbortMultipartUploadAsync(
            new AbortMultipartUploadRequest { BucketName = _options.Bucket, Key = key, UploadId = upload }, cancellationToken));

    private static async Task<string> SumAsync(Stream content, long length, CancellationToken cancellationToken)
    {
#pragma warning disable CA5351 // No defence against anybody: the protocol's sum against faults on the way. The object's own hash is SHA-256.
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        var begin = content.Position;
        var buffer = new byte[1 << 16];
        for (var left = length; left > 0;)
        {
            var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken);
            if (read == 0)
            {
                throw new BackupException("An object became shorter while it was sent.");
            }

            sum.AppendData(buffer, 0, read);
            left -= read;
        }

        content.Position = begin;
        return Convert.ToBase64String(sum.GetHashAndReset());
    }

    private async Task<T?> FindAsync<T>(string what, Func<Task<T>> request)
        where T : class
    {
        try
        {
            return await request();
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
        catch (Exception e) when (IsOfStore(e))
        {
            throw Failure(what, e);
        }
    }

    private async Task<T> DoAsync<T>(string what, Func<Task<T>> request)
    {
        try
        {
            return await request();
        }
        catch (Exception e) when (IsOfStore(e))
        {
            throw Failure(what, e);
        }
    }

    private static bool IsOfStore(Exception exception) =>
        exception is AmazonClientException or AmazonServiceException or HttpRequestException or WebException or TimeoutException or IOException
            and not (FileNotFoundException or DirectoryNotFoundException)
        || exception is TaskCanceledException { InnerException: TimeoutException };

    private BackupException Failure(string what, Exception exception)
    {
        var reason = exception is AmazonServiceException { ErrorCode: { Length: > 0 } code } and not { Message: "" } ? $"{code}, {exception.Message}"
            : (exception.InnerException ?? exception).Message;
        return new BackupException($"{Place} did not {what}: {reason.ReplaceLineEndings(" ").Trim()}", ExitCodes.Unavailable, exception);
    }

    private AmazonS3Client Connect()
    {
        var (authority, secret) = ReadFiles();
        var config = new AmazonS3Config
        {
            ForcePathStyle = _options.PathStyle,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 2,
            Timeout = s_patience,
            HttpClientFactory = new Connections(_options, authority),
        };
        if (_options.Endpoint.Length > 0)
        {
            config.ServiceURL = _options.Endpoint;
            config.AuthenticationRegion = _options.Region.Length > 0 ? _options.Region : "us-east-1";
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(_options.Region);
        }

        return secret is null ? new AmazonS3Client(config) : new AmazonS3Client(new BasicAWSCredentials(_options.AccessKeyId, secret), config);
    }

    // They were there when the settings were checked, which may be long ago.
    private (TrustedAuthority? Authority, string? Secret) ReadFiles()
    {
        try
        {
            return (
                _options.CaFile.Length > 0 ? TrustedAuthority.FromFile(_options.CaFile) : null,
                _options.AccessKeyId.Length > 0 ? File.ReadAllText(_options.SecretAccessKeyFile).Trim() : null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new BackupException($"{Place} is not asked, since a file of its settings cannot be read: {e.Message}", ExitCodes.Configuration, e);
        }
    }

    private static string Plain(string? tag) => tag is { Length: > 0 } ? tag.Trim('"') : "-";

    private sealed class Connections(S3Options options, TrustedAuthority? authority) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig)
        {
            var handler = new SocketsHttpHandler
            {
                ConnectTimeout = s_connectPatience,
                PooledConnectionLifetime = TimeSpan.FromMinutes(10),
                AllowAutoRedirect = false,
                UseProxy = options.Endpoint.Length == 0 || !new Uri(options.Endpoint).IsLoopback,
            };
            if (authority is not null)
            {
                handler.SslOptions.RemoteCertificateValidationCallback = authority.IsTrusted;
            }

            return new HttpClient(handler) { Timeout = s_patience };
        }
    }
}
