using System.Collections;
using System.Reflection;
using System.Text.Json;
using FluentValidation;
using Microsoft.AspNetCore.Connections;
using Platform.Api.Problems;
using Platform.Data.Rules;

namespace Platform.Api.Requests;

/// <summary>
/// Reads a request from JSON and validates it. A deserializer stops at the first wrong place; here the caller is told
/// all of them.
/// </summary>
internal static class RequestBody
{
    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = JsonText.MaxDepth };

    // A body is at most 64 KiB. The server itself drops senders that stand still (Kestrel's MinRequestBodyDataRate);
    // this one those that dribble.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(8);

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Reads a request: a record whose members are texts, whole numbers, lists and records of the same kind.
    /// </summary>
    /// <typeparam name="TDto">The request.</typeparam>
    /// <param name="body">The body.</param>
    /// <param name="validator">The rules.</param>
    /// <param name="errors">Takes every wrong place.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The request; null when something is wrong.</returns>
    /// <exception cref="BadHttpRequestException">It did not arrive in time.</exception>
    public static async Task<TDto?> ReadAsync<TDto>(
        Stream body, IValidator<TDto> validator, RequestErrors errors, CancellationToken cancellationToken)
        where TDto : class
    {
        var json = await ReadAsync(body, cancellationToken);
        if (!JsonText.IsSound(json.Span, errors))
        {
            return null;
        }

        using (var document = JsonDocument.Parse(json, s_options))
        {
            var faults = new BodyFaults();
            if (Read(document.RootElement, typeof(TDto), "", faults) is not TDto request)
            {
                errors.Body("", RuleCodes.Type, "Must be a JSON object.");
                return null;
            }

            var failures = validator.Validate(faults.ContextFor(request)).Errors;
            foreach (var failure in failures)
            {
                errors.Body(JsonPointer.FromMemberPath(failure.PropertyName), failure.ErrorCode, failure.ErrorMessage);
            }

            // What no rule speaks of is wrong all the same.
            foreach (var (pointer, code) in faults.Codes)
            {
                errors.Body(pointer, code, code == RuleCodes.Required ? "Is required." : "Has the wrong type.");
            }

            return errors.None ? request : null;
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(Stream body, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        using var buffer = new MemoryStream();
        try
        {
            await body.CopyToAsync(buffer, patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested
            && !cancellationToken.IsCancellationRequested)
        {
            throw new BadHttpRequestException("The body took too long to arrive.", StatusCodes.Status408RequestTimeout);
        }
        catch (IOException exception) when (exception is not (BadHttpRequestException or ConnectionResetException))
        {
            // The server has this kind for some of what a caller can do wrong, such as the size of a chunk that no
            // number holds.
            throw new BadHttpRequestException("The body could not be read.", exception);
        }

        ReadOnlyMemory<byte> json = buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
        return json.Span.StartsWith(ByteOrderMark) ? json[ByteOrderMark.Length..] : json;
    }

    // Null for what is not there or cannot become a value; the faults then say so.
    private static object? Read(JsonElement element, Type type, string pointer, BodyFaults faults)
    {
        var value =
            type == typeof(string) ? element.ValueKind == JsonValueKind.String ? element.GetString() : null
            : type == typeof(int) ? Whole(element)
            : ItemType(type) is { } item
                ? element.ValueKind == JsonValueKind.Array ? List(element, item, pointer, faults) : null
            : element.ValueKind == JsonValueKind.Object ? Record(element, type, pointer, faults)
            : null;
        if (value is null)
        {
            faults.Add(pointer, element.ValueKind == JsonValueKind.Null ? RuleCodes.Required : RuleCodes.Type);
        }

        return value;
    }

    private static int? Whole(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Number)
        {
            return null;
        }

        // A whole number beyond 32 bits is still a number, too great or too small for any rule.
        return element.TryGetInt32(out var number) ? number
            : element.TryGetDecimal(out var large) && decimal.Truncate(large) == large
                && large is > int.MaxValue or < int.MinValue
                ? large > 0 ? int.MaxValue : int.MinValue
            : null;
    }

    private static Array List(JsonElement element, Type item, string pointer, BodyFaults faults)
    {
        var list = Array.CreateInstance(item, element.GetArrayLength());
        var index = 0;
        foreach (var entry in element.EnumerateArray())
        {
            list.SetValue(Read(entry, item, JsonPointer.Item(pointer, index), faults), index);
            index++;
        }

        return list;
    }

    private static object Record(JsonElement element, Type type, string pointer, BodyFaults faults)
    {
        var constructor = type.GetConstructors().Single();
        return constructor.Invoke(
            [.. constructor.GetParameters().Select(parameter => Argument(element, parameter, pointer, faults))]);
    }

    private static object? Argument(JsonElement element, ParameterInfo parameter, string pointer, BodyFaults faults)
    {
        var name = JsonNamingPolicy.CamelCase.ConvertName(parameter.Name!);
        var inner = JsonPointer.Member(pointer, name);
        if (element.TryGetProperty(name, out var value))
        {
            return Read(value, parameter.ParameterType, inner, faults) ?? Default(parameter.ParameterType);
        }

        faults.Add(inner, RuleCodes.Required);
        return Default(parameter.ParameterType);
    }

    private static object? Default(Type type) => type.IsValueType ? Activator.CreateInstance(type) : null;

    private static Type? ItemType(Type type) =>
        type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type) ? type.GetGenericArguments()[0] : null;
}
